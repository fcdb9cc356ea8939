// The tables of the map are stops on a line. Between two stops, tokens move from one position to the other.

export class Stops {
  /** tables: from page_data, with positions x, y. */
  constructor(tables) {
    Object.assign(this, { tables, blend: 0 });
  }

  get first() {
    return this.tables[0];
  }

  get second() {
    return this.tables.at(-1);
  }

  /** The table of the nearest stop. */
  get shown() {
    return this.blend < 0.5 ? this.first : this.second;
  }

  positionOf(point) {
    const { first, second, blend: t } = this;
    return [first.x[point] + (second.x[point] - first.x[point]) * t, first.y[point] + (second.y[point] - first.y[point]) * t];
  }

  /** The position between those of each table. */
  between(positions) {
    const from = positions[0], to = positions.at(-1), t = this.blend;
    return [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t];
  }

  /** The smallest box that contains all positions. */
  bounds() {
    const extreme = (side, f) => f(...this.tables.map(({ bounds }) => bounds[side]));
    return { left: extreme("left", Math.min), right: extreme("right", Math.max), bottom: extreme("bottom", Math.min), top: extreme("top", Math.max) };
  }

  /** The positions for the painters: those of both ends, (2N,) each. */
  ends() {
    const interleave = ({ x, y }) => Float32Array.from({ length: 2 * x.length }, (_, i) => (i % 2 ? y : x)[i >> 1]);
    return [interleave(this.first), interleave(this.second)];
  }
}
