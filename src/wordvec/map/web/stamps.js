// Names drawn once and stamped from then on: writing text with an edge is dear, copying it cheap.

const SIDE = 1024; // of a sheet, in device pixels
const SHEETS = 24; // when these are full, all are begun anew
const EDGE = 2; // around a name, in CSS pixels

export class Stamps {
  constructor(font, height) {
    Object.assign(this, { font, height });
    this.begin({ ratio: 1, text: "#000", ground: "#fff" });
  }

  /** Begin anew, for another screen or other colours. */
  begin(look) {
    Object.assign(this, look, { known: new Map(), sheets: [], x: 0, y: 0 });
  }

  /** Stamp names: { name, width, x, y }, the left end and middle height in CSS pixels. */
  put(context, names) {
    // first all that are new: a sheet copied from and drawn on by turns is copied whole each time
    for (const { name, width } of names) if (!this.known.has(name)) this.#draw(name, width);
    for (const one of names) this.#stamp(context, one);
  }

  #stamp(context, { name, x, y }) {
    const { ratio } = this;
    const stamp = this.known.get(name);
    if (!stamp) return; // the sheets were begun anew within one frame
    const left = Math.round((x - EDGE) * ratio), top = Math.round((y - this.height / 2 - EDGE) * ratio);
    context.drawImage(stamp.sheet, stamp.x, stamp.y, stamp.width, stamp.height, left, top, stamp.width, stamp.height);
  }

  #draw(name, width) {
    const { ratio } = this;
    const w = Math.min(Math.ceil((width + 2 * EDGE) * ratio), SIDE), h = Math.ceil((this.height + 2 * EDGE) * ratio);
    if (this.x + w > SIDE) Object.assign(this, { x: 0, y: this.y + h });
    if (!this.sheets.length || this.y + h > SIDE) this.#addSheet();
    const context = this.sheets.at(-1).getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, this.x, this.y);
    context.strokeText(name, EDGE, this.height / 2 + EDGE);
    context.fillText(name, EDGE, this.height / 2 + EDGE);
    const stamp = { sheet: this.sheets.at(-1), x: this.x, y: this.y, width: w, height: h };
    this.known.set(name, stamp);
    this.x += w;
  }

  #addSheet() {
    if (this.sheets.length === SHEETS) this.begin(this);
    const sheet = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    const context = sheet.getContext("2d");
    Object.assign(context, {
      font: this.font, textBaseline: "middle", lineJoin: "round", lineWidth: 3, fillStyle: this.text, strokeStyle: this.ground,
    });
    this.sheets.push(sheet);
    Object.assign(this, { x: 0, y: 0 });
  }
}
