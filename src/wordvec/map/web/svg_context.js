// The part of a 2-D drawing context that annotations.js uses, written as SVG.

const measure = document.createElement("canvas").getContext("2d");
const escapeText = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
const short = (number) => +number.toFixed(2);

export class SvgContext {
  constructor() {
    Object.assign(this, { elements: [], path: [], dash: [], globalAlpha: 1, lineWidth: 1, fillStyle: "#000", strokeStyle: "#000", font: "" });
  }

  setTransform() {} // one SVG unit is one CSS pixel
  clearRect() {}

  measureText(text) {
    measure.font = this.font;
    return measure.measureText(text);
  }

  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.path = [];
  }

  moveTo(x, y) {
    this.path.push(`M${short(x)} ${short(y)}`);
  }

  lineTo(x, y) {
    this.path.push(`${this.path.length ? "L" : "M"}${short(x)} ${short(y)}`);
  }

  closePath() {
    this.path.push("Z");
  }

  /** A whole circle: annotations draw no other arc. */
  arc(x, y, r) {
    this.path.push(`M${short(x - r)} ${short(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`);
  }

  roundRect(x, y, width, height, r) {
    const [w, h] = [short(width - 2 * r), short(height - 2 * r)];
    this.path.push(`M${short(x + r)} ${short(y)}h${w}a${r} ${r} 0 0 1 ${r} ${r}v${h}a${r} ${r} 0 0 1 ${-r} ${r}h${-w}a${r} ${r} 0 0 1 ${-r} ${-r}v${-h}a${r} ${r} 0 0 1 ${r} ${-r}Z`);
  }

  fill() {
    this.elements.push(`<path fill="${this.fillStyle}" opacity="${this.globalAlpha}" d="${this.path.join("")}"/>`);
  }

  stroke() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    this.elements.push(`<path fill="none" stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}"${dash} opacity="${this.globalAlpha}" d="${this.path.join("")}"/>`);
  }

  fillText(text, x, y, outline = "") {
    this.elements.push(`<text x="${short(x)}" y="${short(y)}" dominant-baseline="central" style="font: ${escapeText(this.font)}" fill="${this.fillStyle}" opacity="${this.globalAlpha}"${outline}>${escapeText(text)}</text>`);
  }
}

/** Draws outlined labels in an SvgContext, as TextCache draws them in a canvas. */
export class SvgText {
  constructor(font) {
    this.font = font;
  }

  reset({ pixelRatio, text, background }) {
    Object.assign(this, { pixelRatio, text, background });
  }

  draw(context, labels) {
    const { font } = context;
    Object.assign(context, { font: this.font, fillStyle: this.text });
    const outline = ` stroke="${this.background}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"`;
    for (const { text, x, y } of labels) context.fillText(text, x, y, outline);
    context.font = font;
  }
}
