// Answers expressions on the page: exact search over the 8-bit vectors, and the partial sums of the
// expression, as arrows.py computes them from the full vectors.

import { text } from "map/strings";

const NEAREST = 10;
const MIN_DISTANCE = 1e-6; // limits the weight of a token at distance 0

/**
 * Answer an expression, in the form of the expressions that page.py embeds.
 *
 * terms: [{ row, weight }]. table: from page_data. isOnMap(row): whether a row has a position in this table.
 */
export function answerExpression(terms, { name, vectors, metric }, tokens, isOnMap) {
  const missing = terms.filter(({ row }) => !vectors.searchable[row]).map(({ row }) => tokens[row]);
  if (missing.length) {
    const notes = [text("missingIn", { tokens: missing.join(" "), table: name })];
    return { partialSums: [], queryRows: terms.map(({ row }) => row), neighbours: [], notes };
  }
  const isSearchable = (row) => vectors.searchable[row];
  const nearestTo = (terms, isAdmitted) => nearestRows(weightedSum(terms, vectors), vectors, metric, NEAREST, isAdmitted);
  const partialSums = terms.map((term, i) => {
    const label = labelOf(term, i, tokens);
    if (!i && term.weight === 1 && isOnMap(term.row)) return { label, weights: [[term.row, 1]] };
    return { label, weights: proximityWeights(nearestTo(terms.slice(0, i + 1), (row) => isSearchable(row) && isOnMap(row)), metric) };
  });
  const neighbours = nearestTo(terms, isSearchable).map(({ row, score }) => [row, score]);
  return { partialSums, queryRows: terms.map(({ row }) => row), neighbours, notes: [text("quantisedNote")] };
}

/** The rows nearest to the mean of some rows: [[row, score]]. table: from page_data. */
export function nearestToMean(rows, { vectors, metric }) {
  const mean = weightedSum(rows.map((row) => ({ row, weight: 1 / rows.length })), vectors);
  return nearestRows(mean, vectors, metric, NEAREST, (row) => vectors.searchable[row]).map(({ row, score }) => [row, score]);
}

/** The row that is least similar to the mean of the others, as in odd.py: { row, score }, its cosine similarity. */
export function oddAmong(rows, { vectors }) {
  const units = rows.map((row) => unit(weightedSum([{ row, weight: 1 }], vectors)));
  const sum = units[0].map((_, d) => units.reduce((total, each) => total + each[d], 0));
  const similarity = (each) => dot(each, unit(sum.map((value, d) => value - each[d])));
  const scores = units.map(similarity);
  const least = scores.reduce((best, score, i) => (score < scores[best] ? i : best), 0);
  return { row: rows[least], score: scores[least], note: "" };
}

const dot = (a, b) => a.reduce((total, value, d) => total + value * b[d], 0);
const unit = (vector) => vector.map((value) => value / (Math.sqrt(dot(vector, vector)) || 1));

function labelOf({ row, weight }, i, tokens) {
  const sign = weight < 0 ? "-" : i ? "+" : "", size = Math.abs(weight);
  return `${sign}${size === 1 ? "" : `${+size.toPrecision(3)}*`}${tokens[row]}`;
}

/** [[row, weight]]: the weight is the cosine similarity (at least 0), or 1/distance. */
const proximityWeights = (hits, metric) =>
  hits.map(({ row, score }) => [row, metric === "cosine" ? Math.max(score, 0) : 1 / Math.max(score, MIN_DISTANCE)]);

/** The k nearest rows to a vector: [{ row, score }], ties to the lower row. isAdmitted(row): whether it can be one of them. */
function nearestRows(query, { values, scales, dimensions }, metric, k, isAdmitted) {
  const queryNorm = Math.hypot(...query);
  const hits = [];
  for (let row = 0; row < scales.length; row++) {
    if (!isAdmitted(row)) continue;
    let dot = 0, square = 0;
    for (let d = 0, i = row * dimensions; d < dimensions; d++, i++) {
      dot += query[d] * values[i];
      square += values[i] * values[i];
    }
    if (metric === "cosine" && !square) continue;
    const scale = scales[row];
    const score = metric === "cosine" ? dot / (Math.sqrt(square) * queryNorm || 1)
      : Math.sqrt(Math.max(queryNorm * queryNorm - 2 * scale * dot + scale * scale * square, 0));
    const isWorse = metric === "cosine" ? (hit) => hit.score < score : (hit) => hit.score > score;
    if (hits.length < k || isWorse(hits[k - 1])) {
      const rank = hits.findIndex(isWorse);
      hits.splice(rank < 0 ? hits.length : rank, 0, { row, score });
      hits.length = Math.min(hits.length, k);
    }
  }
  return hits;
}

/** The weighted sum of rows: D numbers. */
function weightedSum(terms, { values, scales, dimensions }) {
  const sum = new Float64Array(dimensions);
  for (const { row, weight } of terms)
    for (let d = 0; d < dimensions; d++) sum[d] += weight * scales[row] * values[row * dimensions + d];
  return sum;
}
