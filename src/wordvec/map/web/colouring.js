// What the colours of the points mean: categories (class, region, label), or numbers (norm, row, distance moved).

import { formatCount, text } from "map/strings";

const RAMPS = { // from low to high; each end stands out against its background
  light: ["#b9c3cf", "#5b8db8", "#6a3d9a", "#7a0046"],
  dark: ["#46505c", "#4f86b8", "#d07ab0", "#ffe08a"],
};
const NONE = { light: "#b5b5b0", dark: "#4a4d52" }; // no category
export const parseHex = (colour) => colour.match(/\w\w/g).map((hex) => parseInt(hex, 16));

/** A colour for the i-th of many categories; neighbouring numbers have distant hues. */
export function categoryColour(i) {
  const hue = (i * 137.508 + 20) % 360, isEven = i % 2 === 0; // the golden angle
  return { light: hslToHex(hue, 0.7, isEven ? 0.36 : 0.5), dark: hslToHex(hue, 0.65, isEven ? 0.62 : 0.74) };
}

function hslToHex(h, s, l) {
  const channel = (n) => {
    const k = (n + h / 30) % 12;
    return Math.round(255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1)))).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

/** The colour on a ramp for a share from 0 to 1. */
function rampColour(stops, share) {
  const at = share * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2);
  return stops[i].map((value, c) => Math.round(value + (stops[i + 1][c] - value) * (at - i)));
}

/** Categories: styles [{ label, light, dark }]; styleOf(point): an index into them. */
export class Categories {
  constructor(key, styles, styleOf) {
    Object.assign(this, { key, styles, styleOf, hidden: new Set() });
  }

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
export class Numbers {
  constructor(key, shareOf, ends) {
    Object.assign(this, { key, shareOf, ends, hidden: new Set() });
  }

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

/** All colourings of a map. table(): the table shown. */
export function colourings({ rows, classes, classStyles, tables, regions, levels, labels, labelNames, table }) {
  const found = [new Categories("class", classStyles, (point) => classes[point])];
  if (levels.length) {
    const styles = regions.levels[0].map(({ name }, i) => ({ label: name, ...categoryColour(i) }));
    const { regionOf } = levels[0], none = styles.length;
    found.push(new Categories("region", [...styles, { label: text("noRegion"), ...NONE }], (point) => (regionOf[point] < 0 ? none : regionOf[point])));
  }
  if (labels) {
    const none = labelNames.length, styles = labelNames.map((label, i) => ({ label, ...categoryColour(i) }));
    found.unshift(new Categories("labels", [...styles, { label: text("noLabel"), ...NONE }], (point) => (labels[point] < 0 ? none : labels[point])));
  }
  const last = rows.at(-1) || 1;
  found.push(new Numbers("row", (point) => rows[point] / last, () => ["0", formatCount(last)]));
  found.push(new Numbers("norm", (point) => table().norms[point] / 255, () => table().normRange.map((norm) => norm.toPrecision(4))));
  if (tables.length > 1) found.push(movement(tables));
  return found;
}

/** The distance on the map from the first to the last table, up to its 99th percentile. */
function movement(tables) {
  const [first, last] = [tables[0], tables.at(-1)];
  const moved = Float32Array.from(first.x, (x, point) => Math.hypot(last.x[point] - x, last.y[point] - first.y[point]));
  const most = moved.slice().sort()[Math.floor(moved.length * 0.99)] || 1;
  return new Numbers("moved", (point) => Math.min(moved[point] / most, 1), () => ["0", most.toPrecision(3)]);
}
