// The legend: what the points are coloured by, and the colours. A category has its count, a checkbox that shows or
// hides it, and a button that hides all others.

import { createElement } from "map/details_panel";
import { formatCount, text } from "map/strings";

const legend = document.getElementById("legend"), list = legend.querySelector("ul");
const choice = document.getElementById("colour-by");

/** colourings: see colouring.js. actions: { choose(colouring), hide(categories) }. */
export function setUpLegend(colourings, actions) {
  choice.replaceChildren(...colourings.map(({ key }) => createElement("option", { value: key, textContent: text(`by-${key}`) })));
  choice.addEventListener("change", () => actions.choose(colourings.find(({ key }) => key === choice.value)));
  document.getElementById("show-classes").addEventListener("click", () => actions.hide([]));
  legend.querySelector("details").open = innerWidth > 700; // on a phone it would cover the map
}

/** Draw the legend of a colouring. has(N): whether the table shown has each point. theme: "light" or "dark". */
export function drawLegend(colouring, has, theme, actions) {
  choice.value = colouring.key;
  document.getElementById("show-classes").hidden = !colouring.styles;
  list.replaceChildren(...(colouring.styles ? categoryItems(colouring, has, theme, actions) : [scaleItem(colouring, theme)]));
}

function categoryItems({ styles, styleOf, hidden }, has, theme, { hide }) {
  const counts = styles.map(() => 0);
  has.forEach((isThere, point) => isThere && counts[styleOf(point)]++);
  return styles.map(({ label, ...colours }, i) => {
    const input = createElement("input", { type: "checkbox", checked: !hidden.has(i) });
    input.addEventListener("change", () => hide(input.checked ? [...hidden].filter((other) => other !== i) : [...hidden, i]));
    const swatch = createElement("i");
    swatch.style.background = colours[theme];
    const count = createElement("small", { textContent: formatCount(counts[i]) });
    const only = createElement("button", { textContent: text("only"), title: text("onlyHint", { label }) });
    only.ariaLabel = only.title;
    only.addEventListener("click", () => hide([...styles.keys()].filter((other) => other !== i)));
    const name = createElement("span", { textContent: label });
    return createElement("li", { hidden: !counts[i] }, createElement("label", {}, input, swatch, name, count), only);
  });
}

function scaleItem(colouring, theme) {
  const bar = createElement("div", { className: "scale" });
  bar.style.background = colouring.gradient(theme);
  const [low, high] = colouring.ends();
  const ends = createElement("div", { className: "ends" }, createElement("span", {}, low), createElement("span", {}, high));
  return createElement("li", {}, createElement("div", { className: "numbers" }, bar, ends));
}
