// A cache of drawn text: outlined text is slow to draw, and fast to copy from another canvas.

const SHEET_SIZE = 1024; // device pixels
const MAX_SHEETS = 24; // when all are full, the cache is emptied
const OUTLINE = 2; // around the text, in CSS pixels

export class TextCache {
  constructor(font, height) {
    Object.assign(this, { font, height });
    this.reset({ pixelRatio: 1, text: "#000", background: "#fff" });
  }

  /** Empty the cache, for another screen or other colours. */
  reset({ pixelRatio, text, background }) {
    Object.assign(this, { pixelRatio, text, background, entries: new Map(), sheets: [], x: 0, y: 0 });
  }

  /** Draw labels: { text, width, x, y }, where (x, y) is the middle of the left edge in CSS pixels. */
  draw(context, labels) {
    // all new labels first: a sheet that is drawn on after it was copied from is copied whole again
    for (const { text, width } of labels) if (!this.entries.has(text)) this.#add(text, width);
    for (const label of labels) this.#copy(context, label);
  }

  #copy(context, { text, x, y }) {
    const { pixelRatio } = this;
    const entry = this.entries.get(text);
    if (!entry) return; // the cache was emptied during this frame
    const left = Math.round((x - OUTLINE) * pixelRatio), top = Math.round((y - this.height / 2 - OUTLINE) * pixelRatio);
    context.drawImage(entry.sheet, entry.x, entry.y, entry.width, entry.height, left, top, entry.width, entry.height);
  }

  #add(text, width) {
    const { pixelRatio } = this;
    const w = Math.min(Math.ceil((width + 2 * OUTLINE) * pixelRatio), SHEET_SIZE);
    const h = Math.ceil((this.height + 2 * OUTLINE) * pixelRatio);
    if (this.x + w > SHEET_SIZE) Object.assign(this, { x: 0, y: this.y + h });
    if (!this.sheets.length || this.y + h > SHEET_SIZE) this.#addSheet();
    const context = this.sheets.at(-1).getContext("2d");
    context.setTransform(pixelRatio, 0, 0, pixelRatio, this.x, this.y);
    context.strokeText(text, OUTLINE, this.height / 2 + OUTLINE);
    context.fillText(text, OUTLINE, this.height / 2 + OUTLINE);
    this.entries.set(text, { sheet: this.sheets.at(-1), x: this.x, y: this.y, width: w, height: h });
    this.x += w;
  }

  #addSheet() {
    if (this.sheets.length === MAX_SHEETS) this.reset(this);
    const sheet = Object.assign(document.createElement("canvas"), { width: SHEET_SIZE, height: SHEET_SIZE });
    const context = sheet.getContext("2d");
    Object.assign(context, {
      font: this.font, textBaseline: "middle", lineJoin: "round", lineWidth: 3, fillStyle: this.text, strokeStyle: this.background,
    });
    this.sheets.push(sheet);
    Object.assign(this, { x: 0, y: 0 });
  }
}
