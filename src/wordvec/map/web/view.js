// The view: which part of the map is on the screen. Screen coordinates are CSS pixels. On the map, y
// grows upwards.

const MAX_ZOOM = 400; // relative to the whole map

export class View {
  constructor() {
    // (x, y): the position at the centre of the screen. scale: pixels per map unit. fitScale: the scale
    // at which the whole map fits.
    Object.assign(this, { x: 0, y: 0, scale: 1, width: 1, height: 1, fitScale: 1, flight: null });
  }

  /** Set the size of the screen, the bounds of the map, and the heights that cards cover (above, below). */
  fit(width, height, bounds, covered) {
    const isFirst = this.width === 1;
    Object.assign(this, { width, height, bounds, covered });
    const free = height - covered.above - covered.below;
    const margin = Math.min(width, free) * 0.06;
    this.fitScale = Math.min(
      (width - 2 * margin) / (bounds.right - bounds.left), (free - 2 * margin) / (bounds.top - bounds.bottom));
    if (isFirst) this.show(this.wholeMap());
  }

  /** The view of the whole map: { x, y, scale }. */
  wholeMap() {
    const { left, right, top, bottom } = this.bounds;
    const offset = (this.covered.above - this.covered.below) / 2; // from the screen's centre to that of its free part
    return { x: (left + right) / 2, y: (top + bottom) / 2 + offset / this.fitScale, scale: this.fitScale };
  }

  show({ x, y, scale }) {
    this.x = x;
    this.y = y;
    this.scale = Math.min(Math.max(scale, this.fitScale / 2), this.fitScale * MAX_ZOOM);
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (this.y - y) * this.scale + this.height / 2];
  }

  /** Whether a position is on the screen. */
  contains([x, y]) {
    const [px, py] = this.toScreen(x, y);
    return px >= 0 && py >= 0 && px <= this.width && py <= this.height;
  }

  toMap(px, py) {
    return [(px - this.width / 2) / this.scale + this.x, this.y - (py - this.height / 2) / this.scale];
  }

  pan(dx, dy) {
    this.flight = null;
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
    this.#clamp();
  }

  /** Zoom by a factor; the position at (px, py) on the screen does not move. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    this.flight = null;
    const [x, y] = this.toMap(px, py);
    this.show({ x: this.x, y: this.y, scale: this.scale * factor });
    this.x = x - (px - this.width / 2) / this.scale;
    this.y = y + (py - this.height / 2) / this.scale;
    this.#clamp();
  }

  /** Keep the centre of the screen within the map. */
  #clamp() {
    const { left, right, top, bottom } = this.bounds;
    this.x = Math.min(Math.max(this.x, left), right);
    this.y = Math.min(Math.max(this.y, bottom), top);
  }

  /** Start a flight to a view: it zooms out on the way, and in again (van Wijk and Nuij 2003). */
  flyTo(target, now) {
    const from = { x: this.x, y: this.y, scale: this.scale };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.show(target);
    const w0 = this.width / from.scale, w1 = this.width / target.scale;
    const distance = Math.hypot(target.x - from.x, target.y - from.y);
    const path = distance < 1e-6 * w0 ? zoomPath(w0, w1) : flightPath(w0, w1, distance);
    const seconds = Math.min(Math.max(path.length * 0.55, 0.25), 1.8);
    this.flight = { from, target, path, start: now, seconds, distance };
  }

  /** Advance the flight to the time `now`; returns whether there is one. */
  advance(now) {
    if (!this.flight) return false;
    const { from, target, path, start, seconds, distance } = this.flight;
    const t = Math.min((now - start) / 1000 / seconds, 1);
    const eased = t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) ** 2;
    const [travelled, width] = path.at(eased);
    const fraction = distance ? travelled / distance : eased;
    this.show({
      x: from.x + (target.x - from.x) * fraction,
      y: from.y + (target.y - from.y) * fraction,
      scale: this.width / width,
    });
    if (t === 1) {
      this.show(target);
      this.flight = null;
    }
    return true;
  }
}

// Paths: `length`, and `at(s)` for s from 0 to 1: [distance travelled, visible width], in map units.

function zoomPath(w0, w1) {
  return { length: Math.abs(Math.log(w1 / w0)), at: (s) => [0, w0 * (w1 / w0) ** s] };
}

function flightPath(w0, w1, u) {
  const rho = 1.3;
  const b = (w, sign) => (w1 * w1 - w0 * w0 + sign * rho ** 4 * u * u) / (2 * w * rho * rho * u);
  const r0 = -Math.asinh(b(w0, 1)), r1 = -Math.asinh(b(w1, -1));
  const length = (r1 - r0) / rho;
  const at = (s) => {
    const r = rho * s * length + r0;
    return [
      (w0 / (rho * rho)) * (Math.cosh(r0) * Math.tanh(r) - Math.sinh(r0)),
      (w0 * Math.cosh(r0)) / Math.cosh(r),
    ];
  };
  return { length: Math.abs(length), at };
}
