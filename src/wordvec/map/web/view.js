// The camera: which part of the plane is on the screen. y grows upwards on the plane.

export class View {
  constructor() {
    Object.assign(this, { x: 0, y: 0, scale: 1, width: 1, height: 1, whole: 1, flight: null });
  }

  /** Take the size of the screen and what is covered of it above and below (CSS pixels), and the box of the map. */
  fit(width, height, box, covered) {
    const first = this.width === 1;
    Object.assign(this, { width, height, box, covered });
    const room = height - covered.above - covered.below;
    const margin = Math.min(width, room) * 0.06;
    this.whole = Math.min((width - 2 * margin) / (box.right - box.left), (room - 2 * margin) / (box.top - box.bottom));
    if (first) this.show(this.home());
  }

  home() {
    const { left, right, top, bottom } = this.box;
    const lower = (this.covered.above - this.covered.below) / 2; // pixels, from the middle of the screen to that of the room
    return { x: (left + right) / 2, y: (top + bottom) / 2 + lower / this.whole, scale: this.whole };
  }

  show({ x, y, scale }) {
    this.x = x;
    this.y = y;
    this.scale = Math.min(Math.max(scale, this.whole / 2), this.whole * 400);
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (this.y - y) * this.scale + this.height / 2];
  }

  toPlane(px, py) {
    return [(px - this.width / 2) / this.scale + this.x, this.y - (py - this.height / 2) / this.scale];
  }

  pan(dx, dy) {
    this.flight = null;
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
    this.#stay();
  }

  /** Zoom by a factor, the plane under (px, py) staying where it is. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    this.flight = null;
    const [x, y] = this.toPlane(px, py);
    this.show({ x: this.x, y: this.y, scale: this.scale * factor });
    this.x = x - (px - this.width / 2) / this.scale;
    this.y = y + (py - this.height / 2) / this.scale;
    this.#stay();
  }

  /** The map never leaves the screen altogether. */
  #stay() {
    const { left, right, top, bottom } = this.box;
    this.x = Math.min(Math.max(this.x, left), right);
    this.y = Math.min(Math.max(this.y, bottom), top);
  }

  /** Fly to a place: out far enough to see where one goes, then in (van Wijk and Nuij 2003). */
  fly(aim, now) {
    const from = { x: this.x, y: this.y, scale: this.scale };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.show(aim);
    const w0 = this.width / from.scale, w1 = this.width / aim.scale;
    const distance = Math.hypot(aim.x - from.x, aim.y - from.y);
    const path = distance < 1e-6 * w0 ? straight(w0, w1) : curve(w0, w1, distance);
    const seconds = Math.min(Math.max(path.length * 0.55, 0.25), 1.8);
    this.flight = { from, aim, path, start: now, seconds, distance };
  }

  /** Move on in a flight; true while it lasts. */
  step(now) {
    if (!this.flight) return false;
    const { from, aim, path, start, seconds, distance } = this.flight;
    const t = Math.min((now - start) / 1000 / seconds, 1);
    const eased = t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) ** 2;
    const [along, w] = path.at(eased);
    const share = distance ? along / distance : eased;
    this.show({
      x: from.x + (aim.x - from.x) * share,
      y: from.y + (aim.y - from.y) * share,
      scale: this.width / w,
    });
    if (t === 1) {
      this.show(aim);
      this.flight = null;
    }
    return true;
  }
}

function straight(w0, w1) {
  return { length: Math.abs(Math.log(w1 / w0)), at: (s) => [0, w0 * (w1 / w0) ** s] };
}

function curve(w0, w1, u) {
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
