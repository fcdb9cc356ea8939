// The panel with details of the selection: a token and its neighbours, an expression and its
// neighbours, or a region; lasso_panel.js shows the tokens inside a lasso. Tokens are inserted as text, never as HTML.

import { countTokens, formatCount, text } from "map/strings";

const panel = document.getElementById("details"), body = document.getElementById("details-body");
const announcement = document.getElementById("announcement"); // read by screen readers

export function createElement(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

export function show(heading, ...parts) {
  body.replaceChildren(createElement("h2", { textContent: heading }), ...parts);
  panel.hidden = false;
  panel.scrollTop = 0;
  document.body.classList.add("has-selection");
}

export function hideDetails() {
  panel.hidden = true;
  document.body.classList.remove("has-selection");
}

export const smallText = (content) => createElement("p", { className: "small-text" }, content);

/** Format a score as the command line does. */
function formatScore(score) {
  const size = Math.abs(score);
  return size >= 1e6 || (size > 0 && size < 1e-3) ? score.toExponential(4) : score.toFixed(4);
}

/** A list of { row, score, note }; a token on the map is a button that selects it. */
export function neighbourList(neighbours, { tokens, isOnMap, select }) {
  const items = neighbours.map(({ row, score, note }) => {
    const token = createElement("span", { lang: "ja", textContent: tokens[row] });
    const remark = isOnMap(row) ? note : text("notOnMap");
    if (remark) token.append(" ", createElement("small", { textContent: remark }));
    const button = createElement("button", { className: "row", disabled: !isOnMap(row) }, token,
      createElement("span", { className: "score", textContent: score === null ? "" : formatScore(score) }));
    button.dataset.row = row;
    button.addEventListener("click", () => select(row));
    return createElement("li", {}, button);
  });
  return createElement("ol", { className: "neighbours" }, ...items);
}

const firstTokens = (neighbours, { tokens }) => neighbours.slice(0, 3).map(({ row }) => tokens[row]).join(", ");

/** notes: more about the token. context: { tokens, isOnMap(row), select(row) }. */
export function showToken(row, className, neighbours, tableSummary, notes, context) {
  const { tokens } = context;
  show(tokens[row], smallText(text("tokenLine", { row, class: className })), ...notes.map(smallText),
    smallText(text("nearest", { table: tableSummary })), neighbourList(neighbours, context));
  announcement.textContent = text("nearestAnnounced", { token: tokens[row], nearest: firstTokens(neighbours, context) });
}

const tokenItem = (row, { tokens, isOnMap, select }) => neighbourList([{ row, score: null, note: "" }], { tokens, isOnMap, select }).firstChild;

/** The regions of a level: { name, members }. fly(region): called with the one clicked. */
export function showRegions(regions, tableName, fly) {
  const items = regions.map((region) => {
    const button = createElement("button", { className: "row" }, createElement("span", { lang: "ja", textContent: region.name }),
      createElement("span", { className: "score", textContent: formatCount(region.members.length) }));
    button.addEventListener("click", () => fly(region));
    return createElement("li", {}, button);
  });
  show(text("regions"), smallText(text("regionsNote", { table: tableName })), createElement("ol", { className: "regions" }, ...items));
}

/** typicalRows: the most typical first. */
export function showRegion(name, count, typicalRows, context) {
  show(name, smallText(text("regionLine", { count: countTokens(count) })),
    createElement("ol", { className: "neighbours" }, ...typicalRows.map((row) => tokenItem(row, context))));
  announcement.textContent = name;
}

export function showExpression(source, neighbours, tableSummary, notes, context) {
  show(source, smallText(tableSummary), neighbourList(neighbours, context),
    ...(neighbours.length ? [smallText(text("starNote"))] : []),
    ...notes.map(smallText));
  announcement.textContent = `${source}: ${firstTokens(neighbours, context)}`;
}
