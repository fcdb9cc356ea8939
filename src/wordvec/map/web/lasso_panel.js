// The tokens inside the lasso: they can be copied, saved, and asked about.

import { createElement, neighbourList, show, smallText } from "map/details_panel";
import { download } from "map/save_picture";
import { countTokens, text } from "map/strings";
import { nearestToMean, oddAmong } from "map/vector_search";

const MAX_COMMAND = 40; // tokens in a command to type

/** rows: inside the lasso. table: the table shown. context: as for showToken. */
export function showLasso(rows, table, context) {
  const { tokens } = context;
  const area = createElement("textarea", { readOnly: true, value: rows.map((row) => tokens[row]).join("\n") });
  area.setAttribute("aria-label", text("lassoTokens"));
  const copyButton = createElement("button", { textContent: text("copy"), id: "copy" });
  copyButton.addEventListener("click", async () => {
    copyButton.textContent = (await copy(area)) ? text("copied") : text("pressCopy");
  });
  const saveButton = createElement("button", { textContent: text("saveTsv"), id: "save-tsv" });
  saveButton.addEventListener("click", () => download("tokens.tsv", new Blob([tsvOf(rows, tokens)], { type: "text/tab-separated-values" })));
  const parts = [smallText(text("lassoOrder")), area, createElement("p", { className: "buttons" }, copyButton, saveButton)];
  const count = countTokens(rows.length);
  show(count, ...parts, ...answers(rows, table, context));
  document.getElementById("announcement").textContent = text("lassoAnnounced", { count });
}

/** A header, then token and id; \t, \n, \r and \ in a token are escaped. */
function tsvOf(rows, tokens) {
  const escapes = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\" };
  const cell = (token) => token.replace(/[\t\n\r\\]/g, (char) => escapes[char]);
  return ["token\tid", ...rows.map((row) => `${cell(tokens[row])}\t${row}`)].join("\n") + "\n";
}

function answers(rows, table, context) {
  if (!rows.length) return [];
  if (!table.vectors) return rows.length > MAX_COMMAND ? [] : [smallText(text("inTerminal")), createElement("code", { textContent: commandsOf(rows, context.tokens) })];
  const parts = [heading("nearestToMean"), neighbourList(nearestToMean(rows, table).map(([row, score]) => ({ row, score, note: "" })), context)];
  const odd = rows.length > 2 ? oddAmong(rows, table) : null;
  return odd ? [...parts, heading("oddOne"), neighbourList([odd], context)] : parts;
}

const heading = (key) => createElement("h3", { textContent: text(key) });

/** Commands that ask for the mean and for the odd one out. A word with other signs is written as its id. */
function commandsOf(rows, tokens) {
  const words = rows.map((row) => (/^[\p{L}ー]+$/u.test(tokens[row]) ? tokens[row] : `#${row}`));
  const query = `wordvec query "(${words.join("+")})/${words.length}"`;
  return words.length > 2 ? `${query}\nwordvec odd ${words.map((word) => (word[0] === "#" ? `"${word}"` : word)).join(" ")}` : query;
}

async function copy(area) {
  try {
    await navigator.clipboard.writeText(area.value);
    return true;
  } catch { // some browsers deny clipboard access to files on disk
    area.select();
    return document.execCommand("copy");
  }
}
