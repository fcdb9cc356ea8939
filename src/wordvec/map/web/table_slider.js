// The slider between the tables of the map, with a stop for each: it can be moved, stepped through and played.

import { text } from "map/strings";

const REST = 150; // milliseconds after which the slider has stopped
const GLIDE = 1100, PAUSE = 900; // milliseconds of play, between two stops and at each of them
const UNITS = 100; // of the slider between two stops
const get = (id) => document.getElementById(id);
const card = get("table-slider"), slider = get("blend"), label = card.querySelector("label"), output = card.querySelector("output");

export class TableSlider {
  /** names: of two or more tables. moved(at): called with a stop or a position between two; stopped(): once it rests. */
  constructor(names, moved, stopped) {
    Object.assign(this, { names, timer: null, frame: null });
    card.hidden = false;
    card.classList.toggle("many", names.length > 2);
    slider.max = UNITS * (names.length - 1);
    get("stops").replaceChildren(...names.map((name, i) => new Option(name, UNITS * i)));
    this.#write();
    slider.addEventListener("input", ({ isTrusted }) => {
      if (isTrusted) this.pause();
      this.#write();
      moved(this.at);
      clearTimeout(this.timer);
      this.timer = setTimeout(stopped, REST);
    });
    get("play").addEventListener("click", () => this.togglePlay());
    get("stop-before").addEventListener("click", () => this.step(-1));
    get("stop-after").addEventListener("click", () => this.step(1));
  }

  get at() {
    return slider.value / UNITS;
  }

  /** The names: of both ends for two tables, of the nearest stop for more. */
  #write() {
    const { names, at } = this, from = Math.min(Math.floor(at), names.length - 2), name = names[Math.round(at)];
    label.textContent = names.length > 2 ? "" : names[0];
    output.textContent = names.length > 2 ? text("stop", { name, number: Math.round(at) + 1, count: names.length }) : names[1];
    const isBetween = at !== Math.round(at);
    slider.setAttribute("aria-valuetext", isBetween || names.length === 2
      ? text("sliderValue", { percent: Math.round(100 * (at - from)), from: names[from], to: names[from + 1] }) : name);
  }

  /** Move the slider, as a hand would. */
  slideTo(at) {
    slider.value = Math.round(UNITS * at);
    slider.dispatchEvent(new Event("input"));
  }

  /** Move to the next stop in a direction, 1 or -1. */
  step(direction) {
    this.pause();
    const next = direction > 0 ? Math.floor(this.at) + 1 : Math.ceil(this.at) - 1;
    this.slideTo(Math.min(Math.max(next, 0), this.names.length - 1));
  }

  get isPlaying() {
    return this.frame !== null;
  }

  togglePlay() {
    if (this.isPlaying) this.pause();
    else this.#play();
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.#showPlay();
  }

  /** Glide from stop to stop up to the last, with a pause at each; from the first if this is the last. */
  #play() {
    const last = this.names.length - 1;
    if (this.at >= last) this.slideTo(0);
    const glide = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : GLIDE;
    let from = this.at, target = Math.floor(from) + 1, start = null;
    const step = (now) => {
      start ??= now;
      const passed = (now - start) / (glide * (target - from) || 1), eased = passed < 0.5 ? 2 * passed ** 2 : 1 - 2 * (1 - passed) ** 2;
      if (passed < 1) this.slideTo(from + (target - from) * eased);
      else if (this.at !== target) this.slideTo(target);
      if (passed >= 1 && target === last) return this.pause();
      if (now - start > glide * (target - from) + PAUSE) [from, target, start] = [target, target + 1, null];
      this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
    this.#showPlay();
  }

  #showPlay() {
    const button = get("play");
    button.textContent = this.isPlaying ? "⏸" : "▶";
    button.setAttribute("aria-pressed", String(this.isPlaying));
    button.ariaLabel = button.title = text(this.isPlaying ? "pause" : "play");
  }
}
