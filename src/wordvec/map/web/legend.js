// The legend: the colour and count of each token class, with a checkbox that shows or hides it.

import { createElement } from "map/details_panel";

const legend = document.getElementById("legend");
const checkbox = (i) => document.getElementById(`class-${i}`);

/** classes: [{ label, light, dark }]. counts: the number of tokens of each. setVisible(i, isVisible). */
export function drawLegend(classes, counts, setVisible) {
  const items = classes.map(({ label }, i) => {
    const input = createElement("input", { type: "checkbox", checked: true, id: `class-${i}` });
    input.addEventListener("change", () => setVisible(i, input.checked));
    const swatch = createElement("i", { id: `colour-${i}` });
    const count = createElement("small", { textContent: counts[i].toLocaleString("en") });
    return createElement("li", { hidden: !counts[i] }, createElement("label", {}, input, swatch, label, count));
  });
  legend.querySelector("ul").replaceChildren(...items);
  legend.querySelector("details").open = innerWidth > 700; // on a phone it would cover the map
}

export function checkClass(i, isVisible) {
  checkbox(i).checked = isVisible;
}

/** theme: "light" or "dark". */
export function colourLegend(classes, theme) {
  classes.forEach((style, i) => (document.getElementById(`colour-${i}`).style.background = style[theme]));
}
