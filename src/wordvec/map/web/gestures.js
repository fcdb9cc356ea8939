// Pointer, wheel and touch on the map, as what they mean: pan, zoom, hover, click, lasso.

const CLICK = 5; // pixels that a finger or mouse may slip in a click

/** on: { pan, zoom, hover, leave, click, lassoing, lassoed }; isLasso: whether the tool is on. */
export function listen(element, on, isLasso) {
  const pointers = new Map();
  let lasso = null, moved = 0, speed = null, pinched = false;

  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    speed = null;
    if (pointers.size === 1) {
      moved = 0;
      pinched = false;
      lasso = (isLasso() || event.shiftKey) && event.button === 0 ? [at(event)] : null;
    } else {
      lasso = null;
      pinched = true;
    }
  });

  element.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId), now = at(event);
    if (!before) return on.hover(now);
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (lasso) {
      lasso.push(now);
      on.lassoing(lasso);
    } else if (pointers.size === 2) pinch(event.pointerId, before, now);
    else if (moved > CLICK) {
      on.pan(now[0] - before[0], now[1] - before[1]);
      speed = { dx: now[0] - before[0], dy: now[1] - before[1], time: event.timeStamp };
      element.classList.add("dragging");
    }
    pointers.set(event.pointerId, now);
  });

  function pinch(id, before, now) {
    const other = [...pointers].find(([key]) => key !== id)[1];
    const apart = (place) => Math.max(Math.hypot(place[0] - other[0], place[1] - other[1]), 1);
    on.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    on.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  function release(event) {
    if (!pointers.delete(event.pointerId) || pointers.size) return;
    element.classList.remove("dragging");
    if (event.type === "pointercancel") lasso = null;
    else if (lasso && lasso.length > 2 && moved > CLICK) on.lassoed(lasso);
    else if (moved <= CLICK && !pinched) on.click(at(event), event.pointerType === "touch");
    else if (speed && !pinched && event.timeStamp - speed.time < 40) on.glide(speed.dx, speed.dy);
    lasso = null;
    on.lassoing(null);
  }
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  element.addEventListener("pointerleave", on.leave);

  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const delta = Math.min(Math.max(event.deltaY * lines, -120), 120);
    on.zoom(2 ** (-delta / (event.ctrlKey ? 60 : 180)), event.offsetX, event.offsetY); // ctrl: pinch on a touchpad
  }, { passive: false });

  element.addEventListener("dblclick", (event) => on.zoomTo(event.offsetX, event.offsetY));
}

const at = (event) => [event.offsetX, event.offsetY];

/** Whether a point lies in a polygon: a ray to the right crosses an odd number of its sides. */
export function isInside(polygon, x, y) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
