// Mouse, touch and wheel input on the map, translated into actions: pan, zoom, hover, click, lasso.

const CLICK_DISTANCE = 5; // pixels that a pointer may move during a click

/**
 * Listen to pointer events and call the actions.
 *
 * actions: { pan(dx, dy), zoom(factor, x, y), zoomIn(x, y), hover(position), leave(), click(position, isTouch),
 * glide(dx, dy), drawLasso(corners or null), finishLasso(corners) }. isLassoOn(): whether dragging draws a lasso.
 */
export function listenToPointers(element, actions, isLassoOn) {
  const pointers = new Map(); // id → position
  let lasso = null, moved = 0, velocity = null, hasPinched = false;

  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, positionOf(event));
    velocity = null;
    if (pointers.size === 1) {
      moved = 0;
      hasPinched = false;
      lasso = (isLassoOn() || event.shiftKey) && event.button === 0 ? [positionOf(event)] : null;
    } else {
      lasso = null;
      hasPinched = true;
    }
  });

  element.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId), now = positionOf(event);
    if (!before) return actions.hover(now);
    const dx = now[0] - before[0], dy = now[1] - before[1];
    moved += Math.hypot(dx, dy);
    if (lasso) {
      lasso.push(now);
      actions.drawLasso(lasso);
    } else if (pointers.size === 2) pinch(event.pointerId, before, now);
    else if (moved > CLICK_DISTANCE) {
      actions.pan(dx, dy);
      velocity = { dx, dy, time: event.timeStamp };
      element.classList.add("dragging");
    }
    pointers.set(event.pointerId, now);
  });

  function pinch(id, before, now) {
    const other = [...pointers].find(([key]) => key !== id)[1];
    const distance = (position) => Math.max(Math.hypot(position[0] - other[0], position[1] - other[1]), 1);
    actions.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    actions.zoom(distance(now) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  function release(event) {
    if (!pointers.delete(event.pointerId) || pointers.size) return;
    element.classList.remove("dragging");
    if (event.type === "pointercancel") lasso = null;
    else if (lasso && lasso.length > 2 && moved > CLICK_DISTANCE) actions.finishLasso(lasso);
    else if (moved <= CLICK_DISTANCE && !hasPinched) actions.click(positionOf(event), event.pointerType === "touch");
    else if (velocity && !hasPinched && event.timeStamp - velocity.time < 40) actions.glide(velocity.dx, velocity.dy);
    lasso = null;
    actions.drawLasso(null);
  }
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  element.addEventListener("pointerleave", actions.leave);

  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixelsPerUnit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const delta = Math.min(Math.max(event.deltaY * pixelsPerUnit, -120), 120);
    const pixelsPerDoubling = event.ctrlKey ? 60 : 180; // browsers report a pinch on a touchpad with ctrlKey
    actions.zoom(2 ** (-delta / pixelsPerDoubling), event.offsetX, event.offsetY);
  }, { passive: false });

  element.addEventListener("dblclick", (event) => actions.zoomIn(event.offsetX, event.offsetY));
}

const positionOf = (event) => [event.offsetX, event.offsetY];
