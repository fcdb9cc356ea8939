// The map: loads what the page carries, and joins camera, points, names, gestures and panels.

import { about, load, text } from "map/data";
import { combine, ExpressionError, lookup, nearest, parse } from "map/expression";
import { isInside, listen } from "map/gestures";
import { Labels } from "map/labels";
import { FONT, Overlay, short } from "map/overlay";
import { hide, make, showExpression, showLasso, showToken } from "map/panel";
import { CanvasPoints } from "map/points_canvas";
import { WebGLPoints } from "map/points_webgl";
import { searchBox } from "map/search";
import { View } from "map/view";

const get = (id) => document.getElementById(id);
const root = document.documentElement;
const data = await load();
const { tokens, rows, classes, slotOf, layers } = data;
const N = rows.length, first = layers[0], second = layers.at(-1);
const view = new View();
const state = {
  between: 0, chosen: null, hits: [], answer: null, lasso: null, tool: false, hidden: new Set(), glide: null,
};

// ---- where a token is, between the two tables

const placeOf = (slot) => {
  const t = state.between;
  return [first.x[slot] + (second.x[slot] - first.x[slot]) * t, first.y[slot] + (second.y[slot] - first.y[slot]) * t];
};
const layer = () => (state.between < 0.5 ? first : second);
const isShown = (slot) => !state.hidden.has(classes[slot]);

// ---- points, by WebGL or without

const points = (await startPoints()) ?? new CanvasPoints(get("points"));
root.dataset.painter = points.name;
const overlay = new Overlay(get("overlay"), tokens, rows);

async function startPoints() {
  if (location.hash === "#canvas" || (location.hash !== "#webgl" && !hasGraphicsCard())) return null;
  try {
    return await WebGLPoints.start(get("points"), await text("library"));
  } catch (error) {
    console.warn("drawn without WebGL:", error);
    get("map").prepend(make("canvas", { id: "points", ariaHidden: "true" })); // a fresh one
    document.querySelectorAll("#points")[1]?.remove();
    return null;
  }
}

/** WebGL played by the CPU is there, but pixels written one by one are several times quicker. */
function hasGraphicsCard() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = gl ? String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : "software";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

const pairs = (x, y) => Float32Array.from({ length: 2 * N }, (_, i) => (i % 2 ? y : x)[i >> 1]);

function colours() {
  const dark = root.dataset.theme === "dark";
  const rgb = about.classes.map(({ light, dark: night }) => (dark ? night : light).match(/\w\w/g).map((hex) => parseInt(hex, 16)));
  const paint = new Uint8Array(4 * N);
  for (let slot = 0; slot < N; slot++) paint.set([...rgb[classes[slot]], isShown(slot) ? 255 : 0], 4 * slot);
  return paint;
}

// ---- names

const measure = document.createElement("canvas").getContext("2d");
measure.font = FONT;
const labels = new Labels(Float32Array.from(rows, (row) => measure.measureText(short(tokens[row])).width));
let labelsAt = null; // the mix of tables for which names were placed

function placeNames() {
  const x = new Float32Array(N), y = new Float32Array(N);
  for (let slot = 0; slot < N; slot++) [x[slot], y[slot]] = placeOf(slot);
  labels.reset(x, y, Array.from(rows, (_, slot) => isShown(slot)), view.whole);
  labelsAt = state.between;
}

// ---- drawing, once a frame at most

const smallest = N > 8000 ? 1.8 : 2.8; // radius on the whole map
let asked = false;
export function redraw() {
  if (!asked) requestAnimationFrame(frame);
  asked = true;
}

function frame(now) {
  asked = false;
  if (view.step(now) || glide(now)) redraw();
  const radius = Math.min(Math.max(smallest + Math.log2(view.scale / view.whole) * 0.5, 1.6), 5);
  const busy = state.chosen !== null || state.answer !== null;
  points.draw(view, { between: state.between, radius, strength: busy ? 0.4 : 1, ground: overlay.ink.rgb });
  overlay.draw({
    view, radius, place: placeOf, faded: busy, widths: labels.widths, lasso: state.lasso,
    labels: labels.at(view.scale).length && labelsAt === state.between ? labels.at(view.scale) : [],
    ...choice(),
  });
}

function glide(now) {
  if (!state.glide) return false;
  const { dx, dy, time } = state.glide;
  const fade = Math.exp(-(now - time) / 120); // after the hand let go
  view.pan(dx * fade, dy * fade);
  if (fade < 0.03) state.glide = null;
  return true;
}

/** What is chosen, as the overlay draws it. */
function choice() {
  const nothing = { chosen: null, marked: [], spokes: [], steps: [] };
  const on = state.hits.map(({ row }) => slotOf[row]).filter((slot) => slot >= 0);
  if (state.answer) {
    const steps = state.answer.steps
      .map(({ label, weights }) => ({ label, single: weights.length === 1, minus: label.startsWith("-"), place: meanPlace(weights) }))
      .filter(({ place }) => place);
    const from = steps.at(-1)?.place;
    return { ...nothing, steps, marked: [...new Set([...state.answer.words.map((row) => slotOf[row]).filter((slot) => slot >= 0), ...on])],
      spokes: from ? on.map((to) => ({ from, to })) : [] };
  }
  if (state.chosen === null) return nothing;
  return { ...nothing, chosen: state.chosen, marked: on, spokes: on.map((to) => ({ from: placeOf(state.chosen), to })) };
}

/** weights: [[row, weight]]; rows that are not on the map have no say. */
function meanPlace(weights) {
  let x = 0, y = 0, total = 0;
  for (const [row, weight] of weights) {
    if (slotOf[row] < 0) continue;
    const place = placeOf(slotOf[row]);
    x += weight * place[0];
    y += weight * place[1];
    total += weight;
  }
  return total ? [x / total, y / total] : null;
}

// ---- choosing a token

const context = { tokens, isOn: (row) => slotOf[row] >= 0, go: (row) => choose(slotOf[row], { fly: true }) };

function choose(slot, { fly = false } = {}) {
  state.answer = null;
  state.chosen = slot;
  const { neighbours, scores, facts } = layer();
  const K = neighbours.length / N;
  state.hits = Array.from(neighbours.subarray(slot * K, slot * K + K), (row, i) => ({ row, score: scores[slot * K + i] }))
    .filter(({ row }) => row < tokens.length); // fewer where the table has fewer
  showToken(rows[slot], about.classes[classes[slot]].label, state.hits, facts, context);
  if (fly) flyTo(slot);
  redraw();
}

function flyTo(slot) {
  const scale = Math.max(view.scale, view.whole * 12);
  view.fly(inTheFree(...placeOf(slot), scale), performance.now());
  state.glide = null;
  redraw();
}

function letGo() {
  Object.assign(state, { chosen: null, hits: [], answer: null, lasso: null });
  hide();
  redraw();
}

function nearestSlot([px, py], reach) {
  let best = null, least = reach * reach;
  for (let slot = 0; slot < N; slot++) {
    const [x, y] = placeOf(slot);
    const dx = (x - view.x) * view.scale + view.width / 2 - px, dy = (view.y - y) * view.scale + view.height / 2 - py;
    const square = dx * dx + dy * dy;
    if (square < least && isShown(slot)) [best, least] = [slot, square];
  }
  return best;
}

// ---- gestures

const tip = get("tip");

function hover(at) {
  const slot = nearestSlot(at, 10);
  get("overlay").classList.toggle("over", slot !== null);
  tip.hidden = slot === null;
  if (slot === null) return;
  tip.textContent = `${tokens[rows[slot]]} · id ${rows[slot]} · ${about.classes[classes[slot]].label}`;
  const [x, y] = view.toScreen(...placeOf(slot));
  tip.style.left = `${Math.min(x + 12, view.width - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.max(y - tip.offsetHeight - 10, 4)}px`;
}

const move = (change) => (...args) => {
  state.glide = null;
  tip.hidden = true;
  change(...args);
  redraw();
};

listen(get("overlay"), {
  pan: move((dx, dy) => view.pan(dx, dy)),
  zoom: move((factor, x, y) => view.zoom(factor, x, y)),
  zoomTo: (x, y) => zoomBy(3, x, y),
  hover,
  leave: () => (tip.hidden = true),
  glide: (dx, dy) => {
    state.glide = { dx, dy, time: performance.now() };
    redraw();
  },
  click: (at, isTouch) => {
    const slot = nearestSlot(at, isTouch ? 24 : 12);
    if (slot === null) letGo();
    else choose(slot);
  },
  lassoing: (polygon) => {
    state.lasso = polygon;
    redraw();
  },
  lassoed: (polygon) => {
    setLasso(false);
    letGo();
    const inside = [...rows.keys()].filter((slot) => isShown(slot) && isInside(polygon, ...view.toScreen(...placeOf(slot))));
    showLasso(inside.map((slot) => rows[slot]), context);
  },
}, () => state.tool);

function zoomBy(factor, px = view.width / 2, py = view.height / 2) {
  const aim = new View();
  Object.assign(aim, view);
  aim.zoom(factor, px, py);
  view.fly({ x: aim.x, y: aim.y, scale: aim.scale }, performance.now());
  redraw();
}

const whole = () => {
  view.fly(view.home(), performance.now());
  redraw();
};

function setLasso(is) {
  state.tool = is;
  get("lasso").setAttribute("aria-pressed", String(is));
  get("overlay").classList.toggle("lasso", is);
}

get("zoom-in").addEventListener("click", () => zoomBy(2));
get("zoom-out").addEventListener("click", () => zoomBy(0.5));
get("whole").addEventListener("click", whole);
get("lasso").addEventListener("click", () => setLasso(!state.tool));
get("help").addEventListener("click", () => get("keys").showModal());
get("close").addEventListener("click", letGo);

const KEYS = {
  ArrowLeft: () => move(() => view.pan(80, 0))(), ArrowRight: () => move(() => view.pan(-80, 0))(),
  ArrowUp: () => move(() => view.pan(0, 80))(), ArrowDown: () => move(() => view.pan(0, -80))(),
  "+": () => zoomBy(1.6), ";": () => zoomBy(1.6), "-": () => zoomBy(1 / 1.6), 0: whole,
  "/": () => get("word").focus(), "?": () => get("keys").showModal(),
  l: () => setLasso(!state.tool), d: () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"),
  Escape: () => (setLasso(false), letGo()),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || get("keys").open) return;
  const typing = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
  if (typing && event.key !== "Escape") return;
  if (event.key === "Enter" && event.target === get("overlay")) {
    const slot = nearestSlot([view.width / 2, view.height / 2], Infinity);
    if (slot !== null) choose(slot);
  } else if (KEYS[event.key] ?? KEYS[event.key.toLowerCase()]) {
    (KEYS[event.key] ?? KEYS[event.key.toLowerCase()])();
    event.preventDefault();
  }
});

// ---- search

searchBox(tokens, (row) => (context.isOn(row) ? about.classes[classes[slotOf[row]]].label : "not on this map"), (row) => {
  if (!context.isOn(row)) return;
  if (!isShown(slotOf[row])) toggleClass(classes[slotOf[row]], true);
  choose(slotOf[row], { fly: true });
});

// ---- the legend

function drawLegend() {
  const counts = about.classes.map((_, i) => classes.reduce((sum, one) => sum + (one === i), 0));
  const lines = about.classes.map(({ label }, i) => {
    const box = make("input", { type: "checkbox", checked: true, id: `class-${i}` });
    box.addEventListener("change", () => toggleClass(i, box.checked));
    return make("li", { hidden: !counts[i] }, make("label", {}, box, make("i", { id: `colour-${i}` }), label, make("small", { textContent: counts[i].toLocaleString("en") })));
  });
  get("legend").querySelector("ul").replaceChildren(...lines);
  get("legend").querySelector("details").open = innerWidth > 700; // on a phone it would cover the map
}

function toggleClass(i, on) {
  if (on) state.hidden.delete(i);
  else state.hidden.add(i);
  get(`class-${i}`).checked = on;
  points.recolour(colours());
  placeNames();
  redraw();
}

// ---- expressions

function showAnswer(source, perLayer) {
  state.chosen = null;
  state.answer = perLayer[state.between < 0.5 ? 0 : perLayer.length - 1];
  state.answer.perLayer = perLayer;
  state.answer.source = source;
  const { answers, words, notes } = state.answer;
  state.hits = answers.map(([row, score]) => ({ row, score, note: words.includes(row) ? "in the query" : "" }));
  showExpression(source, state.hits, layer().facts, notes, context);
  flyAround();
}

/** Fly so that the arrows and the answers are on the screen. */
function flyAround() {
  const { marked, steps } = choice();
  const places = [...marked.map(placeOf), ...steps.map(({ place }) => place)];
  if (!places.length) return redraw();
  const [x0, x1] = [Math.min(...places.map(([x]) => x)), Math.max(...places.map(([x]) => x))];
  const [y0, y1] = [Math.min(...places.map(([, y]) => y)), Math.max(...places.map(([, y]) => y))];
  const free = freeBox(), width = free.right - free.left, height = free.bottom - free.top;
  const scale = Math.min((width * 0.8) / Math.max(x1 - x0, 1e-6), (height * 0.8) / Math.max(y1 - y0, 1e-6), view.whole * 30);
  view.fly(inTheFree((x0 + x1) / 2, (y0 + y1) / 2, scale), performance.now());
  redraw();
}

/** The camera that shows a place in the middle of what no card covers. */
function inTheFree(x, y, scale) {
  const { left, right, top, bottom } = freeBox();
  return { x: x - ((left + right) / 2 - view.width / 2) / scale, y: y + ((top + bottom) / 2 - view.height / 2) / scale, scale };
}

/** The part of the screen that no card covers: between them where there is room, else above the lower one. */
function freeBox() {
  const top = get("top").getBoundingClientRect(), details = get("details").getBoundingClientRect();
  return view.width > 900 ? { left: top.right, right: details.left, top: 0, bottom: view.height }
    : { left: 0, right: view.width, top: top.bottom, bottom: Math.max(details.top, top.bottom + 100) };
}

for (const { source, layers: perLayer } of about.expressions) {
  const button = make("button", { textContent: source });
  button.addEventListener("click", () => showAnswer(source, perLayer));
  get("prepared").querySelector("ul").append(make("li", {}, button));
  get("prepared").hidden = false;
}

if (layers.every(({ vectors }) => vectors)) {
  const rowOf = lookup(tokens, about);
  get("ask").hidden = false;
  get("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    get("ask-error").textContent = "";
    try {
      const source = get("expression").value;
      const terms = parse(source).map(({ operand, weight }) => ({ row: rowOf(operand), weight }));
      showAnswer(source, layers.map((one) => answered(terms, one)));
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      get("ask-error").textContent = error.message;
    }
  });
}

/** An answer in the form of those prepared at build time. */
function answered(terms, { vectors, metric, bad }) {
  const without = new Set(bad), offMap = new Set([...bad, ...slotOf.keys().filter((row) => slotOf[row] < 0)]);
  const near = (query, left = without) => nearest(query, vectors, metric, 10, left);
  const steps = terms.map(({ row, weight }, i) => ({
    label: `${weight < 0 ? "-" : i ? "+" : ""}${Math.abs(weight) === 1 ? "" : `${+Math.abs(weight).toPrecision(3)}*`}${tokens[row]}`,
    weights: i || weight !== 1 ? weighed(near(combine(terms.slice(0, i + 1), vectors), offMap), metric) : [[row, 1]],
  }));
  return {
    steps, words: terms.map(({ row }) => row),
    answers: near(combine(terms, vectors)).map(({ row, score }) => [row, score]),
    notes: ["Worked out here from vectors in 8 bit: near ties may come in another order than in wordvec query."],
  };
}

/** How much each neighbour says about a place: cosine similarity, or one over the distance. */
const weighed = (hits, metric) => hits.map(({ row, score }) => [row, metric === "cosine" ? Math.max(score, 0) : 1 / Math.max(score, 1e-6)]);

// ---- two tables

if (layers.length > 1) {
  const slider = get("between"), out = get("slide").querySelector("output");
  get("slide").querySelector("label").textContent = first.name;
  out.textContent = second.name;
  get("slide").hidden = false;
  let rest;
  slider.addEventListener("input", () => {
    const before = layer();
    state.between = slider.value / 100;
    slider.setAttribute("aria-valuetext", `${slider.value} % of the way from ${first.name} to ${second.name}`);
    if (layer() !== before && state.chosen !== null) choose(state.chosen);
    else if (layer() !== before && state.answer) showAnswer(state.answer.source, state.answer.perLayer);
    clearTimeout(rest);
    rest = setTimeout(() => (placeNames(), redraw()), 150); // names when it rests
    redraw();
  });
}

// ---- light and dark

function setTheme(theme) {
  root.dataset.theme = theme;
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(name).trim();
  overlay.ink = { text: colour("--ink"), ground: colour("--ground"), mark: colour("--mark") };
  overlay.ink.rgb = overlay.ink.ground.match(/\w\w/g).map((hex) => parseInt(hex, 16) / 255);
  about.classes.forEach(({ light, dark }, i) => (get(`colour-${i}`).style.background = theme === "dark" ? dark : light));
  points.recolour(colours());
  redraw();
}

get("theme").addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));
const night = matchMedia("(prefers-color-scheme: dark)");
night.addEventListener("change", () => setTheme(night.matches ? "dark" : "light"));

// ---- the size of the screen

/** How far cards that stand in the middle reach into the screen from above and from below, in CSS pixels. */
function covered(width, height) {
  const cards = ["top", "slide", "tools"].map((id) => get(id).getBoundingClientRect());
  const middle = cards.filter((card) => card.width && card.left < width / 2 && card.right > width / 2);
  const above = Math.max(0, ...middle.filter((card) => card.top < height / 2).map((card) => card.bottom));
  const below = Math.max(0, ...middle.filter((card) => card.top >= height / 2).map((card) => height - card.top));
  return above + below < height * 0.7 ? { above, below } : { above: 0, below: 0 };
}

function resize() {
  const width = innerWidth, height = innerHeight, ratio = Math.min(devicePixelRatio || 1, 2);
  const all = (key, f) => f(...layers.map((one) => one[key].reduce((a, b) => f(a, b))));
  view.fit(width, height, { left: all("x", Math.min), right: all("x", Math.max), bottom: all("y", Math.min), top: all("y", Math.max) }, covered(width, height));
  points.resize(Math.round(width * ratio), Math.round(height * ratio));
  overlay.resize(Math.round(width * ratio), Math.round(height * ratio), ratio);
  placeNames();
  redraw();
}

points.set(pairs(first.x, first.y), pairs(second.x, second.y), colours());
drawLegend();
resize();
setTheme(night.matches ? "dark" : "light");
addEventListener("resize", resize);
get("wait").remove();
root.dataset.ready = "true";

/** For tests and the console: what is on the map, and where. */
globalThis.wordvecMap = { view, state, points, redraw, choose, placeOf, slotOf, rows, tokens, labels, overlay };
