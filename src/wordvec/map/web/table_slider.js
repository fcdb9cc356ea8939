// The slider between the tables of the map.

import { text } from "map/strings";

const REST = 150; // milliseconds after which the slider has stopped
const slider = document.getElementById("blend"), card = document.getElementById("table-slider");

/** Show the slider. moved(blend): called with 0 to 1; stopped(): once it rests. */
export function setUpSlider(first, second, moved, stopped) {
  card.querySelector("label").textContent = first;
  card.querySelector("output").textContent = second;
  card.hidden = false;
  let timer;
  slider.addEventListener("input", () => {
    slider.setAttribute("aria-valuetext", text("sliderValue", { percent: slider.value, from: first, to: second }));
    moved(slider.value / 100);
    clearTimeout(timer);
    timer = setTimeout(stopped, REST);
  });
}

/** Move the slider, as a hand would. */
export function slideTo(blend) {
  slider.value = 100 * blend;
  slider.dispatchEvent(new Event("input"));
}
