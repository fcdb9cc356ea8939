// The title of the page and the line below it: what the map shows, and how its positions were computed.

import { countTokens, formatCount, text } from "map/strings";

const vectorsOf = ({ transforms }) => text("vectors", { transforms: transforms.join(" ") || text("raw") });

export const summaryOf = (table) => text("tableSummary", { name: table.name, metric: text(table.metric), vectors: vectorsOf(table) });

/** shown, total: numbers of tokens. */
export function writeTitle(tables, { dimensions, perplexity, seed, leftOut }, shown, total) {
  const title = text("title", { tables: tables.map(({ name }) => name).join(text("and")) });
  document.title = document.querySelector("h1").textContent = title;
  document.getElementById("annotations").ariaLabel = text("mapLabel", { title, count: formatCount(shown) });
  document.getElementById("summary").textContent = text("summary", {
    tokens: shown === total ? countTokens(total) : text("partOf", { shown: formatCount(shown), total: formatCount(total) }),
    vectors: vectorsOf(tables[0]), metric: text(tables[0].metric), dimensions, perplexity, seed,
    leftOut: leftOut ? text("leftOut", { tokens: countTokens(leftOut), why: text(`unplaceable-${tables[0].metric}`) }) : "",
  });
}
