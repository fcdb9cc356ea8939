// What the colours of the points mean: categories (class, region, label), or numbers (norm, row, distance moved).

import { metadata } from "map/page_data";
import { formatCount, text } from "map/strings";

const { palette, noCategory, ramp: RAMPS } = metadata; // RAMPS: from low to high
export const parseHex = (colour) => colour.match(/\w\w/g).map((hex) => parseInt(hex, 16));

/** The colour of the i-th of many categories: { light, dark }. */
const categoryColour = (i) => palette[i % palette.length];

/** The colour on a ramp for a share from 0 to 1. */
function rampColour(stops, share) {
  const at = share * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2);
  return stops[i].map((value, c) => Math.round(value + (stops[i + 1][c] - value) * (at - i)));
}

/** Categories: styles [{ label, light, dark }]; styleOf(point): an index into them. */
class Categories {
  constructor(key, styles, styleOf) {
    Object.assign(this, { key, styles, styleOf, hidden: new Set() });
  }

  changeTable() {}

  isVisible(point) {
    return !this.hidden.has(this.styleOf(point));
  }

  colours(N, theme) {
    const rgb = this.styles.map((style) => parseHex(style[theme])), result = new Uint8Array(4 * N);
    for (let point = 0; point < N; point++) result.set([...rgb[this.styleOf(point)], this.isVisible(point) ? 255 : 0], 4 * point);
    return result;
  }
}

/** Numbers: shareOf(point), from 0 to 1; ends: texts of the lowest and the highest. */
class Numbers {
  constructor(key, shareOf, ends) {
    Object.assign(this, { key, shareOf, ends, hidden: new Set() });
  }

  changeTable() {}

  isVisible() {
    return true;
  }

  colours(N, theme) {
    const stops = RAMPS[theme].map(parseHex), result = new Uint8Array(4 * N);
    for (let point = 0; point < N; point++) result.set([...rampColour(stops, this.shareOf(point)), 255], 4 * point);
    return result;
  }

  gradient(theme) {
    return `linear-gradient(to right, ${RAMPS[theme].join(", ")})`;
  }
}

/** The regions of the table shown. */
class RegionCategories extends Categories {
  constructor(stops, regions) {
    super("region", [], (point) => (stops.shown.levels[0].regionOf[point] + this.styles.length) % this.styles.length); // the last: no region
    Object.assign(this, { stops, regions });
    this.changeTable();
  }

  /** Another table is shown, with other regions; a region has the colour of that before it with most of its tokens. */
  changeTable() {
    const { regionColours } = this.stops.shown;
    const styles = this.regions.levels[0].map(({ name }, i) => ({ label: name, ...categoryColour(regionColours[i]) }));
    Object.assign(this, { styles: [...styles, { label: text("noRegion"), ...noCategory }], hidden: new Set() });
  }
}

/** All colourings of a map, the default first. */
export function colourings({ rows, classes, classStyles, stops, regions, labels, labelNames }) {
  const { tables } = stops;
  const found = [new Categories("class", classStyles, (point) => classes[point])];
  if (tables[0].levels.length) found.push(new RegionCategories(stops, regions));
  if (tables.some(({ points }) => points)) found[metadata.isJoint ? "unshift" : "push"](tableCategories(tables));
  if (labels) found.unshift(fileLabels(labels, labelNames));
  const first = rows[0], last = rows.at(-1), span = last - first || 1;
  found.push(new Numbers("row", (point) => (rows[point] - first) / span, () => [first, last].map(formatCount)));
  found.push(new Numbers("norm", (point) => stops.shown.norms[point] / 255, () => stops.shown.normRange.map((norm) => norm.toPrecision(4))));
  if (tables.length > 1) found.push(movement(tables));
  return found;
}

function fileLabels(labels, names) {
  const styles = names.map((label, i) => ({ label, ...categoryColour(i) }));
  return new Categories("labels", [...styles, { label: text("noLabel"), ...noCategory }], (point) => (labels[point] < 0 ? names.length : labels[point]));
}

/** Which of the tables have a token: in every table, or in some. */
function tableCategories(tables) {
  const keyOf = (point) => tables.map(({ has }) => (has[point] ? "0" : "1")).join("");
  const keys = [...new Set(tables[0].has.keys().map(keyOf))].sort(); // "000", in every table, is the first
  const numberOf = new Map(keys.map((key, i) => [key, i]));
  const inTables = (key) => text("inTables", { tables: tables.filter((_, i) => key[i] === "0").map(({ name }) => name).join(text("comma")) });
  const styles = keys.map((key, i) => ({ label: key.includes("1") ? inTables(key) : text("inEveryTable"), ...categoryColour(i) }));
  const styleOf = Uint16Array.from(tables[0].has.keys().map((point) => numberOf.get(keyOf(point))));
  return new Categories("tables", styles, (point) => styleOf[point]);
}

/** The distance on the map from table to table, up to its 99th percentile. */
function movement(tables) {
  const moved = new Float32Array(tables[0].x.length);
  for (let i = 1; i < tables.length; i++) {
    const [from, to] = [tables[i - 1], tables[i]];
    for (let point = 0; point < moved.length; point++)
      if (from.has[point] && to.has[point]) moved[point] += Math.hypot(to.x[point] - from.x[point], to.y[point] - from.y[point]);
  }
  const most = moved.slice().sort()[Math.floor(moved.length * 0.99)] || 1;
  return new Numbers("moved", (point) => Math.min(moved[point] / most, 1), () => ["0", most.toPrecision(3)]);
}
