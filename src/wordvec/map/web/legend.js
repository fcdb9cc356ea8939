// The legend: the colour and count of each token class, a checkbox that shows or hides it, and a button
// that hides all others.

import { createElement } from "map/details_panel";
import { formatCount, text } from "map/strings";

const legend = document.getElementById("legend");
const checkbox = (i) => document.getElementById(`class-${i}`);

/** classes: [{ label, light, dark }]. counts: the number of tokens of each. actions: { setVisible(i, isVisible), showOnly(i), showAll() }. */
export function drawLegend(classes, counts, { setVisible, showOnly, showAll }) {
  const items = classes.map(({ label }, i) => {
    const input = createElement("input", { type: "checkbox", checked: true, id: `class-${i}` });
    input.addEventListener("change", () => setVisible(i, input.checked));
    const swatch = createElement("i", { id: `colour-${i}` });
    const count = createElement("small", { textContent: formatCount(counts[i]) });
    const only = createElement("button", { textContent: text("only"), title: text("onlyHint", { label }) });
    only.ariaLabel = only.title;
    only.addEventListener("click", () => showOnly(i));
    return createElement("li", { hidden: !counts[i] }, createElement("label", {}, input, swatch, label, count), only);
  });
  legend.querySelector("ul").replaceChildren(...items);
  document.getElementById("show-classes").addEventListener("click", showAll);
  legend.querySelector("details").open = innerWidth > 700; // on a phone it would cover the map
}

export function checkClass(i, isVisible) {
  checkbox(i).checked = isVisible;
}

/** theme: "light" or "dark". */
export function colourLegend(classes, theme) {
  classes.forEach((style, i) => (document.getElementById(`colour-${i}`).style.background = style[theme]));
}
