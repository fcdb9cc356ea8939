// The map: loads the data and connects view, points, annotations, input and panels.

import { Address, applyView, describeView, readAddress } from "map/address";
import { Annotations, FONT, shorten } from "map/annotations";
import { Camera } from "map/camera";
import { colourings, parseHex } from "map/colouring";
import { Density } from "map/density";
import { createElement, hideDetails, showExpression, showRegion, showRegions, showToken } from "map/details_panel";
import { createLookup, parse } from "map/expression_parser";
import { coveredHeights } from "map/free_area";
import { listenToKeys } from "map/keyboard";
import { showLasso } from "map/lasso_panel";
import { LabelPlacement } from "map/label_placement";
import { drawLegend, setUpLegend } from "map/legend";
import { load, loadNeighbours, metadata } from "map/page_data";
import { startPainter } from "map/painter";
import { listenToPointers } from "map/pointer_input";
import { isInside } from "map/polygon";
import { setUpQueryForm } from "map/query_form";
import { Regions } from "map/regions";
import { download, pngOf, svgOf } from "map/save_picture";
import { selectionMarks } from "map/selection_marks";
import { Stops } from "map/stops";
import { text, translatePage } from "map/strings";
import { TableSlider } from "map/table_slider";
import { measureIn } from "map/text_width";
import { summaryOf, writeTitle } from "map/title";
import { setUpSearch } from "map/token_search";
import { hideTooltip, showTooltip } from "map/tooltip";
import { answerExpression } from "map/vector_search";
import { View } from "map/view";

const get = (id) => document.getElementById(id);
const root = document.documentElement;
translatePage();
const { tokens, rows, classes, pointOfRow, tables, labels: labelOf } = await load();
const N = rows.length, stops = new Stops(tables);
const view = new View(), camera = new Camera(view, redraw);
const address = new Address(() => describeView(parts), (values) => applyView(parts, values));
const state = {
  selected: null, // point
  neighbours: [], // of the selected point or the expression: [{ row, score, note }]
  expression: null, // { source, answerIn, and the answer of the table shown }
  lasso: null, // corners on the screen, while it is drawn
  outline: null, // corners of the last lasso on the map
  inside: [], // points in it
  isLassoOn: false,
  colouring: null, // what the colours mean
  glide: null, // movement after a drag: { dx, dy, time }
};

// ---- positions

const positionOf = (point) => stops.positionOf(point);
const isOnMap = (row) => pointOfRow[row] >= 0;
const pointsOf = (someRows) => someRows.filter(isOnMap).map((row) => pointOfRow[row]);
const isVisible = (point) => stops.shown.has[point] && state.colouring.isVisible(point);
const classStyles = metadata.classes.map((style) => ({ ...style, label: text(`class-${style.name}`) }));
const classLabel = (point) => classStyles[classes[point]].label;

// ---- points and labels

const painter = await startPainter();
root.dataset.painter = painter.name;
const annotations = new Annotations(get("annotations"), tokens, rows);

const regions = new Regions(stops, (point) => shorten(tokens[rows[point]]));
const density = new Density(get("density"));
const choices = colourings({ rows, classes, classStyles, stops, regions, labels: labelOf, labelNames: metadata.labels });
state.colouring = choices[0];

/** The colours of the points; those that the table shown lacks are hidden. */
function pointColours() {
  const colours = state.colouring.colours(N, root.dataset.theme ?? "light");
  if (stops.shown.points) stops.shown.has.forEach((isThere, point) => isThere || (colours[4 * point + 3] = 0));
  return colours;
}

const widthOf = measureIn(FONT);
const labels = new LabelPlacement(Float32Array.from(rows, (row) => widthOf(shorten(tokens[row]))));
let isStarted = false; // until then nothing is coloured or labelled, so that it is done once
let labelledAt = null; // the stop for which labels were placed

function placeLabels() {
  if (!isStarted) return;
  const x = new Float32Array(N), y = new Float32Array(N);
  for (let point = 0; point < N; point++) [x[point], y[point]] = positionOf(point);
  const shown = Array.from(rows, (_, point) => isVisible(point));
  labels.reset(x, y, shown, view.fitScale);
  density.reset(x, y, shown, view.bounds, annotations.colours.shade ?? [0, 0, 0]);
  labelledAt = stops.at;
}

// ---- drawing, at most once per frame

const baseRadius = N > 8000 ? 1.8 : 2.8; // of a point when the whole map is shown
let isFrameRequested = false;

function redraw() {
  if (!isFrameRequested) requestAnimationFrame(drawFrame);
  isFrameRequested = true;
}

function drawFrame(now) {
  isFrameRequested = false;
  if (view.advance(now) || glide(now)) redraw();
  painter.draw(view, pointStyle());
  density.show(view);
  annotations.draw(scene());
  address.moved();
}

/** How points are drawn: see the painters. */
function pointStyle() {
  const radius = Math.min(Math.max(baseRadius + Math.log2(view.scale / view.fitScale) * 0.5, 1.6), 5);
  const isFaded = state.selected !== null || state.expression !== null;
  return { blend: stops.share, radius, opacity: isFaded ? 0.4 : 1, background: annotations.colours.backgroundRgb };
}

/** What is drawn above the points: see Annotations.draw. */
function scene() {
  const { radius, opacity } = pointStyle();
  return {
    regions: regions.place(view, (region) => region.typical.some(isVisible)),
    view, radius, positionOf, faded: opacity < 1, labels,
    labelled: labelledAt === stops.at ? labels.at(view.scale) : [],
    lasso: state.lasso ?? state.outline?.map((corner) => view.toScreen(...corner)) ?? null, inside: state.inside,
    ...marks(),
  };
}

function glide(now) {
  if (!state.glide) return false;
  const { dx, dy, time } = state.glide;
  const speed = Math.exp(-(now - time) / 120);
  view.pan(dx * speed, dy * speed);
  if (speed < 0.03) state.glide = null;
  return true;
}

const marks = () => selectionMarks(state, pointsOf, positionOf);

// ---- the selection

const panelContext = { tokens, isOnMap, select: (row) => select(pointOfRow[row], { fly: true }) };

function select(point, { fly = false } = {}) {
  Object.assign(state, { expression: null, selected: point, outline: null, inside: [] });
  describeToken();
  if (fly) flyToPoint(point);
  address.push();
  redraw();
}

/** Show the neighbours of the selected token in the table shown. */
function describeToken() {
  const point = state.selected, table = stops.shown, { neighbours, scores } = table, K = neighbours ? neighbours.length / N : 0;
  state.neighbours = Array.from({ length: K }, (_, i) => ({ row: neighbours[point * K + i], score: scores[point * K + i], note: "" }))
    .filter(({ row }) => row >= 0);
  const notes = table.has[point] ? [] : [text("missingIn", { tokens: tokens[rows[point]], table: table.name })];
  if (!neighbours) notes.push(text("loadingNeighbours"));
  showToken(rows[point], classLabel(point), state.neighbours, summaryOf(table), notes, panelContext);
}

function clearSelection() {
  Object.assign(state, { selected: null, neighbours: [], expression: null, lasso: null, outline: null, inside: [] });
  hideDetails();
  address.push();
  redraw();
}

/** The visible point that is nearest to a position on the screen, at most `maxDistance` pixels away, or null. */
const nearestPoint = (position, maxDistance) => stops.nearestPoint(position, maxDistance, view, isVisible);

// ---- moving the view

/** Fly to a point; its neighbours stay in view. */
function flyToPoint(point) {
  state.glide = null;
  camera.flyToCentre(positionOf(point), marks().marked.map(positionOf), Math.max(view.scale, view.fitScale * 12));
}

/** Fly to a view of all arrows and neighbours of the expression. */
function flyToExpression() {
  const { marked, arrows } = marks();
  const positions = [...marked.map(positionOf), ...arrows.map(({ position }) => position)];
  if (positions.length) camera.flyToAll(positions, view.fitScale * 30);
  else redraw();
}

/** Fly to a view of everything that the legend shows. */
function showAll() {
  const shown = [...rows.keys()].filter(isVisible);
  if (shown.length === N || !shown.length) camera.flyTo(view.wholeMap());
  else camera.flyToAll(shown.map(positionOf), view.fitScale * 30);
}

/** Wrap a function that moves the view at once. */
const move = (change) => (...args) => {
  state.glide = null;
  hideTooltip();
  change(...args);
  redraw();
};
const pan = move((dx, dy) => view.pan(dx, dy));

// ---- mouse, touch and keyboard

function hover(position) {
  const point = regions.named(position) ? null : nearestPoint(position, 10);
  get("annotations").classList.toggle("over-token", point !== null || regions.named(position) !== null);
  if (point === null) return hideTooltip();
  const content = text("tooltip", { token: tokens[rows[point]], row: rows[point], class: classLabel(point) });
  showTooltip(content, view.toScreen(...positionOf(point)), view.width);
}

function setLasso(isOn) {
  state.isLassoOn = isOn;
  get("lasso").setAttribute("aria-pressed", String(isOn));
  get("annotations").classList.toggle("lasso", isOn);
}

listenToPointers(get("annotations"), {
  pan,
  zoom: move((factor, x, y) => view.zoom(factor, x, y)),
  zoomIn: (x, y) => camera.zoomBy(3, x, y),
  hover,
  leave: hideTooltip,
  glide: (dx, dy) => {
    state.glide = { dx, dy, time: performance.now() };
    redraw();
  },
  click: (position, isTouch) => {
    const region = regions.named(position);
    if (region) return flyToRegion(region);
    const point = nearestPoint(position, isTouch ? 24 : 12);
    if (point === null) clearSelection();
    else select(point);
  },
  drawLasso: (corners) => {
    state.lasso = corners;
    redraw();
  },
  finishLasso: (corners) => {
    setLasso(false);
    clearSelection();
    state.inside = [...rows.keys()].filter((point) => isVisible(point) && isInside(corners, ...view.toScreen(...positionOf(point))));
    state.outline = corners.map((corner) => view.toMap(...corner));
    showLasso(state.inside.map((point) => rows[point]), stops.shown, panelContext);
  },
}, () => state.isLassoOn);

function flyToRegion(region) {
  clearSelection();
  showRegion(region.name, region.members.length, region.typical.map((point) => rows[point]), panelContext);
  camera.flyToAll(regions.core(region).map(positionOf), view.fitScale * 30);
}

function listRegions() {
  clearSelection();
  showRegions(regions.at(view), stops.shown.name, flyToRegion);
}

const switchTheme = () => setTheme(root.dataset.theme === "dark" ? "light" : "dark");

const buttons = {
  "zoom-in": () => camera.zoomBy(2), "zoom-out": () => camera.zoomBy(0.5), "show-all": showAll,
  lasso: () => setLasso(!state.isLassoOn), regions: listRegions, theme: switchTheme, help: () => get("help-dialog").showModal(), close: clearSelection,
  "save-menu": () => get("save-menu").hidePopover(),
  "save-png": async () => download("map.png", await pngOf(picture())),
  "save-svg": () => download("map.svg", new Blob([svgOf(picture())], { type: "image/svg+xml" })),
};
for (const [id, action] of Object.entries(buttons)) get(id).addEventListener("click", action);

function picture() {
  const [first, second] = stops.ends(), points = { first, second, colours: pointColours() };
  return { view, scene: scene(), points, style: pointStyle(), colours: annotations.colours, shade: density.placed(view), tokens, rows };
}

get("fold").addEventListener("click", () => foldHeader(!get("header").classList.contains("folded")));

/** On a phone, hide or show the title and the expressions. */
function foldHeader(isFolded) {
  get("header").classList.toggle("folded", isFolded);
  get("fold").ariaExpanded = String(!isFolded);
}

function selectCentre(event) {
  if (event.target !== get("annotations")) return false; // Enter presses a button
  const point = nearestPoint([view.width / 2, view.height / 2], Infinity);
  if (point !== null) select(point);
  return true;
}

listenToKeys({
  ArrowLeft: () => pan(80, 0), ArrowRight: () => pan(-80, 0), ArrowUp: () => pan(0, 80), ArrowDown: () => pan(0, -80),
  "+": () => camera.zoomBy(1.6), ";": () => camera.zoomBy(1.6), "-": () => camera.zoomBy(1 / 1.6), 0: showAll, // ; is + without Shift in Japan
  p: () => slider?.togglePlay(), "[": () => slider?.step(-1), "]": () => slider?.step(1),
  "/": () => get("search-input").focus(), "?": buttons.help, Enter: selectCentre,
  l: () => setLasso(!state.isLassoOn), d: switchTheme, r: listRegions,
  Escape: () => (setLasso(false), clearSelection()),
}, () => get("help-dialog").open);

// ---- search and legend

setUpSearch(tokens, (row) => (isOnMap(row) ? classLabel(pointOfRow[row]) : text("notOnMap")), (row) => {
  if (!isOnMap(row)) return;
  const point = pointOfRow[row];
  if (!stops.shown.has[point]) slider.slideTo(stops.nearestWith(point));
  const { hidden, styleOf } = state.colouring;
  if (!isVisible(point)) hide([...hidden].filter((i) => i !== styleOf(point)));
  select(point, { fly: true });
});

/** Hide these categories of the colouring and show all others. */
function hide(categories) {
  state.colouring.hidden = new Set(categories);
  recolour();
  placeLabels();
}

function recolour() {
  if (!isStarted) return;
  painter.setColours(pointColours());
  drawLegend(state.colouring, stops.shown.has, root.dataset.theme, legendActions);
  redraw();
}

const legendActions = {
  hide,
  /** only: the name of the one category that is shown, or undefined for all. */
  choose: (colouring, only) => {
    state.colouring = colouring;
    colouring.changeTable();
    const shown = only === undefined ? -1 : colouring.styles.findIndex(({ name }) => name === only);
    colouring.hidden = new Set(shown < 0 ? [] : [...colouring.styles.keys()].filter((i) => i !== shown));
    recolour();
    placeLabels();
    get("colour-by").blur(); // otherwise letters would choose an option
  },
};

// ---- expressions

/** answerIn(i): the answer of the i-th table, embedded in the page or from answerExpression. */
function selectExpression(source, answerIn) {
  Object.assign(state, { selected: null, outline: null, inside: [], expression: { source, answerIn } });
  describeExpression();
  foldHeader(true);
  address.push();
  flyToExpression();
}

/** Show the answer of the expression in the table shown. */
function describeExpression() {
  const { source, answerIn } = state.expression, found = answerIn(stops.index), { neighbours, queryRows, notes } = found;
  state.expression = { source, answerIn, ...found };
  state.neighbours = neighbours.map(([row, score]) => ({ row, score, note: queryRows.includes(row) ? text("inQuery") : "" }));
  showExpression(source, state.neighbours, summaryOf(stops.shown), notes, panelContext);
}

for (const { source, tables: perTable } of metadata.expressions) {
  const button = createElement("button", { textContent: source });
  button.addEventListener("click", () => selectExpression(source, (i) => perTable[i]));
  get("expressions").querySelector("ul").append(createElement("li", {}, button));
  get("expressions").hidden = false;
}

const canAnswer = tables.every(({ vectors }) => vectors);
const rowOf = createLookup(tokens, metadata);

function answer(source) {
  const terms = parse(source).map(({ operand, weight }) => ({ row: rowOf(operand, source), weight }));
  const known = new Map(), isIn = (i) => (row) => isOnMap(row) && tables[i].has[pointOfRow[row]];
  selectExpression(source, (i) => {
    if (!known.has(i)) known.set(i, answerExpression(terms, tables[i], tokens, isIn(i)));
    return known.get(i);
  });
}

const submitQuery = canAnswer ? setUpQueryForm(answer, clearSelection) : null;

// ---- several tables

let isFollowing = false; // whether the selected token was in view before the slider moved

const isInView = (point) => point !== null && view.contains(positionOf(point));

/** The slider rests: place the labels, and follow the selected token where it has left the screen. */
function rest() {
  placeLabels();
  if (isFollowing && state.selected !== null && !isInView(state.selected)) flyToPoint(state.selected);
  isFollowing = false;
  redraw();
}

/** Move to a stop, or to a position between two. */
function moveTo(at) {
  const { index, segment } = stops;
  isFollowing ||= isInView(state.selected);
  stops.at = at;
  if (stops.segment !== segment) painter.setPositions(...stops.ends());
  if (stops.index !== index) changeTable();
  redraw();
}

function changeTable() {
  state.colouring.changeTable();
  recolour();
  if (state.selected !== null) describeToken();
  else if (state.expression) describeExpression();
}

const slider = tables.length > 1 ? new TableSlider(tables.map(({ name }) => name), moveTo, rest) : null;

// ---- light and dark

function setTheme(theme) {
  root.dataset.theme = theme;
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(name).trim();
  const background = colour("--background");
  const backgroundRgb = parseHex(background).map((value) => value / 255);
  annotations.colours = { text: colour("--text"), mark: colour("--mark"), name: colour("--name"), shade: parseHex(colour("--text")), background, backgroundRgb };
  recolour();
  placeLabels();
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
prefersDark.addEventListener("change", () => setTheme(prefersDark.matches ? "dark" : "light"));

// ---- the size of the screen

function resize() {
  const width = innerWidth, height = innerHeight, pixelRatio = Math.min(devicePixelRatio || 1, 2);
  view.fit(width, height, stops.bounds(), coveredHeights(width, height));
  painter.resize(Math.round(width * pixelRatio), Math.round(height * pixelRatio));
  annotations.resize(Math.round(width * pixelRatio), Math.round(height * pixelRatio), pixelRatio);
  placeLabels();
  redraw();
}

// ---- the view in the address

/** Answer an expression of the page, or any if the page has the vectors. */
function ask(source) {
  const embedded = metadata.expressions.find((each) => each.source === source);
  if (embedded) selectExpression(source, (i) => embedded.tables[i]);
  else if (canAnswer) submitQuery(source);
}

const parts = { state, stops, view, tokens, rows, pointOfRow, positionOf, tables, choices, isOnMap, select, ask, slider, clearSelection, choose: legendActions.choose, redraw };

// ---- start

get("method-notes").textContent = text(`helpNotes-${metadata.method}`);
painter.setPositions(...stops.ends());
setUpLegend(choices, legendActions);
writeTitle(tables, metadata, N, tokens.length);
resize();
setTheme(prefersDark.matches ? "dark" : "light");
addEventListener("resize", resize);
address.follow((values) => applyView(parts, Object.keys(values).length ? values : metadata.start));
isStarted = true;
recolour();
placeLabels();
get("loading").remove();
root.dataset.shown = "true";
await new Promise((resolve) => setTimeout(resolve)); // the map is painted first
await Promise.all(tables.map((table, i) => loadNeighbours(table, i, N)));
if (state.selected !== null) describeToken();
redraw();
root.dataset.ready = "true";

/** For tests, benchmarks and the console. */
globalThis.wordvecMap = { view, state, stops, painter, redraw, select, positionOf, pointOfRow, rows, tokens, labels, regions, annotations, slider };
