// The named regions of the table shown: which level of detail is shown at a zoom, and where its names are drawn.

const LEVEL_ENDS = [2.2, 6, 18]; // zoom, relative to the whole map, up to which each level is shown
const NAMED = 3; // tokens in a name
const CELLS = 40; // per side of the grid on which the densest part of a region is found
const HEIGHT = 20, GAP = 6; // of a name and around it, in pixels
export const REGION_FONT = '600 14px system-ui, "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP", "Yu Gothic UI", Meiryo, sans-serif';

export class Regions {
  /** stops: whose tables have levels [{ regionOf, typical }], see regions.py. nameOf(point): the text of a token. */
  constructor(stops, nameOf) {
    const measure = document.createElement("canvas").getContext("2d");
    measure.font = REGION_FONT;
    Object.assign(this, { stops, nameOf, measure, known: stops.tables.map(() => []), shown: [] }); // shown: see place
  }

  /** The regions of the table shown at each level of detail, the coarsest first. */
  get levels() {
    const known = this.known[this.stops.index];
    if (!known.length) known.push(...this.stops.shown.levels.map((level) => this.#read(level)));
    return known;
  }

  #read({ regionOf, typical }) {
    const members = typical.map(() => []);
    regionOf.forEach((region, point) => region >= 0 && members[region].push(point));
    return typical.map((points, region) => {
      const name = points.slice(0, NAMED).map(this.nameOf).join(" ");
      return { name, typical: points, members: members[region], anchors: new Map(), width: this.measure.measureText(name).width };
    });
  }

  /** The position of the name of a region. */
  anchorOf({ members, anchors }) {
    return this.stops.between((table) => {
      if (!anchors.has(table)) anchors.set(table, densestPart(members, table));
      return anchors.get(table);
    });
  }

  /** The level of detail for a scale; one behind the last if no names are drawn there. */
  levelAt({ scale, fitScale }) {
    const level = LEVEL_ENDS.findIndex((end) => scale < fitScale * end);
    return level < 0 ? LEVEL_ENDS.length : level;
  }

  /** The regions of the level for a scale; of the last, where no names are drawn. */
  at(view) {
    return this.levels[Math.min(this.levelAt(view), this.levels.length - 1)] ?? [];
  }

  /** Choose the names that have room on the screen, of large regions first. */
  place(view, isShown) {
    this.shown = [];
    for (const region of this.levels[this.levelAt(view)] ?? []) {
      const [cx, y] = view.toScreen(...this.anchorOf(region)), x = cx - region.width / 2;
      if (x < 0 || y < HEIGHT || x + region.width > view.width || y > view.height - HEIGHT || !isShown(region)) continue;
      const box = { region, x, y, width: region.width };
      if (!this.shown.some((other) => overlap(box, other))) this.shown.push(box);
    }
    return this.shown;
  }

  /** The region whose name is at a position on the screen, or null. */
  named([px, py]) {
    const hit = this.shown.find(({ x, y, width }) => px >= x && px <= x + width && Math.abs(py - y) <= HEIGHT / 2);
    return hit?.region ?? null;
  }

  /** The points of a region around its name, without the tenth farthest away: what one flies to. */
  core(region) {
    const [ax, ay] = this.anchorOf(region);
    const distance = (point) => Math.hypot(this.stops.positionOf(point)[0] - ax, this.stops.positionOf(point)[1] - ay);
    const sorted = region.members.map((point) => [distance(point), point]).sort((a, b) => a[0] - b[0]);
    return sorted.slice(0, Math.max(Math.ceil(sorted.length * 0.7), 1)).map(([, point]) => point);
  }
}

const overlap = (a, b) => a.x < b.x + b.width + GAP && b.x < a.x + a.width + GAP && Math.abs(a.y - b.y) < HEIGHT + GAP;

/** The mean position of the members in and around the cell of the map that has most of them. */
function densestPart(members, { x, y, bounds }) {
  const { left, right, bottom, top } = bounds;
  const cell = Math.max(right - left, top - bottom) / CELLS;
  const columnOf = (point) => Math.floor((x[point] - left) / cell), lineOf = (point) => Math.floor((y[point] - bottom) / cell);
  const cells = new Map();
  for (const point of members) {
    const key = lineOf(point) * 1000 + columnOf(point);
    cells.set(key, (cells.get(key) ?? 0) + 1);
  }
  const around = (key) => [-1001, -1000, -999, -1, 0, 1, 999, 1000, 1001].reduce((sum, step) => sum + (cells.get(key + step) ?? 0), 0);
  let best = null, most = 0;
  for (const key of cells.keys()) if (around(key) > most) [best, most] = [key, around(key)];
  const near = members.filter((point) => Math.abs(lineOf(point) - Math.floor(best / 1000)) <= 1 && Math.abs(columnOf(point) - (best % 1000)) <= 1);
  const mean = (values) => near.reduce((sum, point) => sum + values[point], 0) / near.length;
  return [mean(x), mean(y)];
}
