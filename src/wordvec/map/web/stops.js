// The tables of the map are stops on a line, numbered from 0. Between two stops, tokens move from one position to the
// other. A token that a table lacks is hidden at that stop, and waits at its position of the nearest stop that has it.

export class Stops {
  /** tables: from page_data, with has, x and y. */
  constructor(tables) {
    Object.assign(this, { tables, at: 0, interleaved: tables.map(() => null) });
    tables.forEach((_, i) => this.#fill(i));
  }

  /** Give the tokens that a table lacks the positions of the nearest table that has them. */
  #fill(i) {
    const { has, x, y } = this.tables[i];
    const others = [...this.tables.keys()].sort((a, b) => Math.abs(a - i) - Math.abs(b - i)).map((j) => this.tables[j]);
    for (let point = 0; point < x.length; point++) {
      if (has[point]) continue;
      const other = others.find((table) => table.has[point]);
      [x[point], y[point]] = [other.x[point], other.y[point]];
    }
  }

  /** The nearest stop. */
  get index() {
    return Math.round(this.at);
  }

  /** The table of the nearest stop. */
  get shown() {
    return this.tables[this.index];
  }

  /** The stop before the position shown; of the last two at the end. */
  get segment() {
    return Math.max(Math.min(Math.floor(this.at), this.tables.length - 2), 0);
  }

  /** How far the position shown is from the stop before it to the next: 0 to 1. */
  get share() {
    return this.at - this.segment;
  }

  /** The position between two: of(table) is a position in a table. */
  between(of) {
    const t = this.share, from = of(this.tables[this.segment]);
    if (!t) return from;
    const to = of(this.tables[this.segment + 1]);
    return [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t];
  }

  positionOf(point) { // without `between`, as it is called for every token
    const t = this.share, from = this.tables[this.segment], to = t ? this.tables[this.segment + 1] : from;
    return [from.x[point] + (to.x[point] - from.x[point]) * t, from.y[point] + (to.y[point] - from.y[point]) * t];
  }

  /** The point nearest to a position on the screen, of those that isVisible admits, or null. */
  nearestPoint([px, py], maxDistance, view, isVisible) {
    let nearest = null, least = maxDistance * maxDistance;
    for (let point = 0; point < this.shown.x.length; point++) {
      const [x, y] = this.positionOf(point);
      const dx = (x - view.x) * view.scale + view.width / 2 - px, dy = (view.y - y) * view.scale + view.height / 2 - py;
      const square = dx * dx + dy * dy;
      if (square < least && isVisible(point)) [nearest, least] = [point, square];
    }
    return nearest;
  }

  /** The stop nearest to the one shown that has a token. */
  nearestWith(point) {
    const order = [...this.tables.keys()].sort((a, b) => Math.abs(a - this.at) - Math.abs(b - this.at));
    return order.find((i) => this.tables[i].has[point]);
  }

  /** The smallest box that contains all positions. */
  bounds() {
    const extreme = (side, f) => f(...this.tables.map(({ bounds }) => bounds[side]));
    return { left: extreme("left", Math.min), right: extreme("right", Math.max), bottom: extreme("bottom", Math.min), top: extreme("top", Math.max) };
  }

  /** The positions at both ends of the segment, for the painters: (N, 2) each. */
  ends() {
    return [this.segment, Math.min(this.segment + 1, this.tables.length - 1)].map((i) => (this.interleaved[i] ??= interleave(this.tables[i])));
  }
}

function interleave({ x, y }) {
  const result = new Float32Array(2 * x.length);
  for (let i = 0; i < x.length; i++) [result[2 * i], result[2 * i + 1]] = [x[i], y[i]];
  return result;
}
