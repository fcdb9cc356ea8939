// The title of the page and the line below it: what the map shows, and how its positions were computed.

import { countTokens, formatCount, text } from "map/strings";

const vectorsOf = ({ transforms }) => text("vectors", { transforms: transforms.join(" ") || text("raw") });

export const summaryOf = (table) => text("tableSummary", { name: table.name, metric: text(table.metric), vectors: vectorsOf(table) });

function namesOf(tables) {
  const names = tables.map(({ name }) => name);
  return names.length > 3 ? text("manyTables", { count: names.length, first: names[0], last: names.at(-1) }) : names.join(text("and"));
}

/** shown, total: numbers of tokens. */
export function writeTitle(tables, { method, perplexity, seed, leftOut }, shown, total) {
  const title = text("title", { tables: namesOf(tables) });
  document.title = document.querySelector("h1").textContent = title;
  document.getElementById("annotations").ariaLabel = text("mapLabel", { title, count: formatCount(shown) });
  document.getElementById("summary").textContent = text("summary", {
    tokens: shown === total ? countTokens(total) : text("partOf", { shown: formatCount(shown), total: formatCount(total) }),
    vectors: vectorsOf(tables[0]), dimensions: [...new Set(tables.map(({ dimensions }) => dimensions))].join(text("comma")),
    method: text(`method-${method}`, { metric: text(tables[0].metric), perplexity, seed }),
    leftOut: leftOut ? text("leftOut", { tokens: countTokens(leftOut), why: text(`unplaceable-${tables[0].metric}`) }) : "",
  });
}
