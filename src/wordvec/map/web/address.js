// The address holds the view: #t=王 (a selected token, or %23527 for its id), q (an expression), table, or stop
// (a position between two tables, numbered from 0), colour, and x, y, z (centre and zoom, relative to the whole map). So a reload, "back" and a copied link keep it.

const DELAY = 250; // milliseconds without movement, after which the view is written
const PAINTERS = ["canvas", "webgl"];

/** The values in the address, as strings: { t, q, table, stop, colour, x, y, z }. */
export const readAddress = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

/** The painter that the address asks for, or null. */
export const requestedPainter = () => PAINTERS.find((name) => name in readAddress()) ?? null;

export class Address {
  /** describe(): the values to write, without null. apply(values): called after "back" and "forward". */
  constructor(describe, apply) {
    Object.assign(this, { describe, timer: null, isApplying: false, last: "" });
    addEventListener("popstate", () => this.follow(apply));
  }

  /** Apply the values in the address, without writing them again. */
  follow(apply) {
    clearTimeout(this.timer);
    this.isApplying = true;
    apply(readAddress());
    this.isApplying = false;
  }

  /** Write a new entry of the history: the selection has changed. */
  push() {
    this.#write("pushState");
  }

  /** Write the view once it rests. */
  moved() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#write("replaceState"), DELAY);
  }

  #write(method) {
    if (this.isApplying) return;
    const painter = requestedPainter();
    const values = new URLSearchParams(Object.entries(this.describe()).filter(([, value]) => value !== null));
    const hash = `#${[painter, values.toString()].filter(Boolean).join("&")}`;
    if (hash === this.last) return;
    this.last = hash;
    history[method](null, "", hash);
  }
}

const DIGITS = 5; // of a position and a zoom
const round = (number) => String(+number.toPrecision(DIGITS));

/** The values for the address. map: the parts of main.js. */
export function describeView({ state, stops, view, tokens, rows, choices }) {
  const row = state.selected === null ? null : rows[state.selected];
  const isBetween = stops.at !== stops.index;
  return {
    t: row === null ? null : tokens.indexOf(tokens[row]) === row && !/^#[0-9]/.test(tokens[row]) ? tokens[row] : `#${row}`,
    q: state.expression?.source ?? null,
    table: isBetween || !stops.at ? null : stops.shown.name,
    stop: isBetween ? round(stops.at) : null,
    colour: state.colouring === choices[0] ? null : state.colouring.key,
    x: round(view.x), y: round(view.y), z: round(view.scale / view.fitScale),
  };
}

/** Show what the values of an address say; what they do not say stays at its default. */
export function applyView(map, { t, q, table, stop, colour, only, x, y, z }) {
  const { view, tokens, pointOfRow, positionOf, tables, choices, isOnMap } = map;
  const shown = tables.findIndex(({ name }) => name === table || name.split(":").at(-1) === table);
  const last = tables.length - 1, at = stop > 0 && shown < 0 ? Math.min(Number(stop), last) : Math.max(shown, 0);
  if (last) map.slider.slideTo(at);
  map.choose(choices.find(({ key }) => key === colour) ?? choices[0], only);
  const row = t === undefined ? -1 : /^#[0-9]+$/.test(t) ? Number(t.slice(1)) : tokens.indexOf(t);
  const point = tokens[row] !== undefined && isOnMap(row) ? pointOfRow[row] : null;
  if (q !== undefined) map.ask(q);
  else if (point !== null) map.select(point);
  else map.clearSelection();
  const scale = Number(z) > 0 ? view.fitScale * Number(z) : null;
  const centre = [x, y].every((value) => value !== undefined && Number.isFinite(Number(value))) ? [Number(x), Number(y)] : null;
  if (centre || point !== null) {
    const [cx, cy] = centre ?? positionOf(point);
    view.flight = null;
    view.show({ x: cx, y: cy, scale: scale ?? Math.max(view.scale, view.fitScale * 12) });
  } else if (q === undefined) view.show({ ...view.wholeMap(), ...(scale && { scale }) });
  map.redraw();
}
