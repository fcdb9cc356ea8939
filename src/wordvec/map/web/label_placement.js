// Which tokens have a label at each zoom level. Tokens with low ids (usually frequent ones) are placed
// first. A label that is shown stays when one zooms in, so that labels do not flicker: boxes keep their
// size on the screen, and the distances between points only grow.

const STEP = Math.SQRT2; // ratio of the scales of two levels
const LEVELS = 18; // the last level is 362 times the scale of the whole map
const CELL = [56, 18]; // pixels; the grid in which overlapping boxes are found
export const LABEL_HEIGHT = 16;
export const LABEL_OFFSET = 6; // from the point to its label

export class LabelPlacement {
  /** widths: of the label of each point, in pixels. */
  constructor(widths) {
    this.widths = widths;
  }

  /** Recompute for other positions (x, y), or other visible points (isVisible: a boolean per point). */
  reset(x, y, isVisible, fitScale) {
    Object.assign(this, { x, y, isVisible, fitScale });
    this.levels = [];
  }

  /** The points that have a label at a scale, ascending. */
  at(scale) {
    const level = Math.floor(Math.log(scale / this.fitScale) / Math.log(STEP) + 1e-6);
    const wanted = Math.min(Math.max(level + 1, 0), LEVELS); // level 0 is one step below the whole map
    while (this.levels.length <= wanted) this.#addLevel(this.levels.length);
    return this.levels[wanted];
  }

  #addLevel(level) {
    const { x, y, widths, isVisible } = this;
    const scale = this.fitScale * STEP ** (level - 1);
    if (level === LEVELS) { // the last level shows all labels, also of points at the same position
      this.levels.push(Uint32Array.from(isVisible.keys()).filter((point) => isVisible[point]));
      return;
    }
    const grid = new BoxGrid(x, y, widths, scale);
    const previous = level ? this.levels[level - 1] : [];
    const labelled = new Uint8Array(x.length);
    for (const point of previous) {
      grid.add(point);
      labelled[point] = 1;
    }
    for (let point = 0; point < x.length; point++)
      if (isVisible[point] && !labelled[point] && grid.isFree(point)) {
        grid.add(point);
        labelled[point] = 1;
      }
    this.levels.push(Uint32Array.from(labelled.keys()).filter((point) => labelled[point]));
  }
}

/** Boxes of labels, filed by the grid cells that they cover. */
class BoxGrid {
  constructor(x, y, widths, scale) {
    Object.assign(this, { x, y, widths, scale, cells: new Map() });
  }

  #box(point) {
    const left = this.x[point] * this.scale + LABEL_OFFSET - 2, middle = this.y[point] * this.scale;
    return [left, middle - LABEL_HEIGHT / 2, left + this.widths[point] + 4, middle + LABEL_HEIGHT / 2];
  }

  *#cells([left, low, right, high]) {
    for (let i = Math.floor(left / CELL[0]); i <= Math.floor(right / CELL[0]); i++)
      for (let j = Math.floor(low / CELL[1]); j <= Math.floor(high / CELL[1]); j++) yield i * 1e7 + j;
  }

  isFree(point) {
    const box = this.#box(point);
    for (const cell of this.#cells(box))
      for (const other of this.cells.get(cell) ?? [])
        if (other[0] < box[2] && other[2] > box[0] && other[1] < box[3] && other[3] > box[1]) return false;
    return true;
  }

  add(point) {
    const box = this.#box(point);
    for (const cell of this.#cells(box)) {
      const boxes = this.cells.get(cell);
      if (boxes) boxes.push(box);
      else this.cells.set(cell, [box]);
    }
  }
}
