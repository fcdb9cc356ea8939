// Moves the view to positions on the map, so that no card covers them.

import { freeArea } from "map/free_area";
import { View } from "map/view";

const LABEL_ROOM = 0.78; // share of the free area, so that labels beside the positions have room too

export class Camera {
  /** redraw(): called after each movement. */
  constructor(view, redraw) {
    Object.assign(this, { view, redraw });
  }

  flyTo(target) {
    this.view.flyTo(target, performance.now());
    this.redraw();
  }

  zoomBy(factor, px = this.view.width / 2, py = this.view.height / 2) {
    const target = Object.assign(new View(), this.view);
    target.zoom(factor, px, py);
    this.flyTo({ x: target.x, y: target.y, scale: target.scale });
  }

  /** Fly to a position, so close that the others are in view too; without others, as close as `closest`. */
  flyToCentre([x, y], others, closest) {
    const { width, height } = this.#freeSize();
    const fits = others.map(([ox, oy]) => Math.min(width / 2 / Math.abs(ox - x), height / 2 / Math.abs(oy - y)));
    const scale = Math.min(closest, ...fits);
    if (scale < this.view.fitScale) this.flyToAll([[x, y], ...others], closest);
    else this.flyTo(this.#centred(x, y, scale));
  }

  /** Fly to the smallest view of all positions. */
  flyToAll(positions, closest) {
    const [x0, x1] = extent(positions, 0), [y0, y1] = extent(positions, 1);
    const { width, height } = this.#freeSize();
    this.flyTo(this.#centred((x0 + x1) / 2, (y0 + y1) / 2, Math.min(width / (x1 - x0), height / (y1 - y0), closest)));
  }

  #freeSize() {
    const { left, right, top, bottom } = freeArea(this.view.width, this.view.height);
    return { width: (right - left) * LABEL_ROOM, height: (bottom - top) * LABEL_ROOM };
  }

  /** The view that shows a position in the middle of the area that no card covers. */
  #centred(x, y, scale) {
    const { left, right, top, bottom } = freeArea(this.view.width, this.view.height);
    return { x: x - ((left + right) / 2 - this.view.width / 2) / scale, y: y + ((top + bottom) / 2 - this.view.height / 2) / scale, scale };
  }
}

function extent(positions, axis) {
  let least = Infinity, most = -Infinity;
  for (const position of positions) {
    least = Math.min(least, position[axis]);
    most = Math.max(most, position[axis]);
  }
  return [least, most];
}
