// Which tokens are named at which zoom. Frequent tokens (low ids) choose first; a label shown stays
// shown as one comes closer, so that nothing flickers while the map is moved: boxes keep their size
// on the screen and their anchors only move apart.

const STEP = Math.SQRT2; // between one level of zoom and the next
const LEVELS = 18; // up to 362 times the whole map
const CELL = [56, 18]; // of the grid in which boxes look for one another, in pixels
export const HEIGHT = 16;
export const GAP = 6; // from the point to its name

export class Labels {
  /** widths: of each slot's name, in pixels. */
  constructor(widths) {
    this.widths = widths;
  }

  /** Begin anew: other places (x, y), or other slots to name (`shown`: one boolean a slot). */
  reset(x, y, shown, whole) {
    Object.assign(this, { x, y, shown, whole });
    this.levels = [];
  }

  /** The slots named at a scale, in order of the vocabulary. */
  at(scale) {
    const level = Math.floor(Math.log(scale / this.whole) / Math.log(STEP) + 1e-6);
    const wanted = Math.min(Math.max(level + 1, 0), LEVELS); // level 0 is a step farther than the whole
    while (this.levels.length <= wanted) this.#add(this.levels.length);
    return this.levels[wanted];
  }

  #add(level) {
    const { x, y, widths, shown } = this;
    const scale = this.whole * STEP ** (level - 1);
    if (level === LEVELS) { // close enough for all: even doubles that lie on one another
      this.levels.push(Uint32Array.from(shown.keys()).filter((slot) => shown[slot]));
      return;
    }
    const grid = new Grid(x, y, widths, scale);
    const before = level ? this.levels[level - 1] : [];
    const named = new Uint8Array(x.length);
    for (const slot of before) {
      grid.add(slot);
      named[slot] = 1;
    }
    for (let slot = 0; slot < x.length; slot++)
      if (shown[slot] && !named[slot] && grid.isFree(slot)) {
        grid.add(slot);
        named[slot] = 1;
      }
    this.levels.push(Uint32Array.from(named.keys()).filter((slot) => named[slot]));
  }
}

/** Boxes of labels that know their neighbours. */
class Grid {
  constructor(x, y, widths, scale) {
    Object.assign(this, { x, y, widths, scale, cells: new Map() });
  }

  #box(slot) {
    const left = this.x[slot] * this.scale + GAP - 2, middle = this.y[slot] * this.scale;
    return [left, middle - HEIGHT / 2, left + this.widths[slot] + 4, middle + HEIGHT / 2];
  }

  *#cells([left, low, right, high]) {
    for (let i = Math.floor(left / CELL[0]); i <= Math.floor(right / CELL[0]); i++)
      for (let j = Math.floor(low / CELL[1]); j <= Math.floor(high / CELL[1]); j++) yield i * 1e7 + j;
  }

  isFree(slot) {
    const box = this.#box(slot);
    for (const cell of this.#cells(box))
      for (const other of this.cells.get(cell) ?? [])
        if (other[0] < box[2] && other[2] > box[0] && other[1] < box[3] && other[3] > box[1]) return false;
    return true;
  }

  add(slot) {
    const box = this.#box(slot);
    for (const cell of this.#cells(box)) {
      const inside = this.cells.get(cell);
      if (inside) inside.push(box);
      else this.cells.set(cell, [box]);
    }
  }
}
