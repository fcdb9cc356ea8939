// What lies over the points: names, the lines of the chosen token, arrows of an expression, lasso.

import { GAP, HEIGHT } from "map/labels";
import { Stamps } from "map/stamps";

export const FONT = '12px system-ui, "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP", "Yu Gothic UI", Meiryo, sans-serif';

/** Names longer than this are cut: the whole token is in the tip. */
export const short = (token) => ([...token].length > 20 ? `${[...token].slice(0, 19).join("")}…` : token);

export class Overlay {
  constructor(canvas, tokens, rows) {
    Object.assign(this, { canvas, tokens, rows, context: canvas.getContext("2d"), ink: {}, stamps: new Stamps(FONT, HEIGHT) });
  }

  resize(width, height, ratio) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.ratio = ratio;
  }

  /** scene: { view, place(slot), labels, widths, chosen, marked, spokes, steps, rings, lasso, radius } */
  draw(scene) {
    const { context, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, scene.view.width, scene.view.height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    this.taken = []; // boxes of the plates put down so far
    this.#names(scene);
    this.#spokes(scene);
    this.#arrows(scene);
    this.#marks(scene);
    this.#lasso(scene);
  }

  #names({ view, place, labels, widths, faded }) {
    const { context, stamps } = this;
    if (stamps.ratio !== this.ratio || stamps.text !== this.ink.text)
      stamps.begin({ ratio: this.ratio, text: this.ink.text, ground: this.ink.ground });
    context.globalAlpha = faded ? 0.35 : 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    const names = [];
    for (const slot of labels) {
      const [x, y] = view.toScreen(...place(slot));
      if (x < -widths[slot] - GAP || y < -10 || x > view.width || y > view.height + 10) continue;
      names.push({ name: short(this.tokens[this.rows[slot]]), width: widths[slot], x: x + GAP, y });
    }
    stamps.put(context, names);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.globalAlpha = 1;
  }

  #spokes({ view, place, spokes }) {
    const { context } = this;
    context.strokeStyle = this.ink.mark;
    context.lineWidth = 1.4;
    context.globalAlpha = 0.75;
    for (const { from, to } of spokes) {
      context.beginPath();
      context.moveTo(...view.toScreen(...from));
      context.lineTo(...view.toScreen(...place(to)));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** Each step of an expression ends where the last one leads: 王, then -男, then +女. */
  #arrows({ view, steps }) {
    const { context } = this;
    steps.forEach(({ place, label, minus, single }, i) => {
      const to = view.toScreen(...place);
      if (i) this.#arrow(view.toScreen(...steps[i - 1].place), to, minus);
      if (!i && single) return; // a token, which is marked by its own name
      this.#plate(label, ...(i ? middle(view.toScreen(...steps[i - 1].place), to) : [to[0] + GAP, to[1] - 14]));
    });
    if (!steps.length) return;
    const [x, y] = view.toScreen(...steps.at(-1).place);
    context.fillStyle = this.ink.mark;
    context.strokeStyle = this.ink.ground;
    context.lineWidth = 2;
    star(context, x, y, 9);
    context.fill();
    context.stroke();
    this.taken.push([x - 9, y - 9, x + 9, y + 9]);
  }

  #arrow([x0, y0], [x1, y1], minus) {
    const { context } = this;
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (length < 2) return;
    const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
    context.strokeStyle = context.fillStyle = this.ink.text;
    context.lineWidth = 2;
    context.setLineDash(minus ? [7, 5] : []);
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1 - ux * 9, y1 - uy * 9);
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x1 - ux * 11 - uy * 5, y1 - uy * 11 + ux * 5);
    context.lineTo(x1 - ux * 11 + uy * 5, y1 - uy * 11 - ux * 5);
    context.fill();
  }

  /** A name on a ground of its own, so that it is read over anything. */
  #plate(name, x, y, strong = false) {
    const { context } = this;
    const width = context.measureText(name).width;
    this.taken.push(plateBox(x, y, width));
    context.fillStyle = strong ? this.ink.text : this.ink.ground;
    context.globalAlpha = 0.92;
    context.beginPath();
    context.roundRect(x - 4, y - 9, width + 8, 18, 5);
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = strong ? this.ink.ground : this.ink.text;
    context.fillText(name, x, y);
  }

  #marks({ view, place, marked, chosen, radius }) {
    const { context } = this;
    const all = chosen === null ? marked : [chosen, ...marked.filter((slot) => slot !== chosen)];
    for (const slot of all) {
      context.strokeStyle = slot === chosen ? this.ink.text : this.ink.mark;
      context.lineWidth = slot === chosen ? 3 : 2;
      context.beginPath();
      context.arc(...view.toScreen(...place(slot)), radius + 3, 0, 7);
      context.stroke();
    }
    for (const slot of all) {
      const name = short(this.tokens[this.rows[slot]]);
      this.#plate(name, ...this.#room(name, view.toScreen(...place(slot)), radius + 9), slot === chosen);
    }
  }

  /** Where a name stands beside its ring: right or left, as little above or below as it must. */
  #room(name, [x, y], away) {
    const width = this.context.measureText(name).width;
    for (const [right, down] of SEATS) {
      const left = right ? x + away : x - away - width, middle = y + down * 19;
      const box = plateBox(left, middle, width);
      if (!this.taken.some((other) => other[0] < box[2] && other[2] > box[0] && other[1] < box[3] && other[3] > box[1]))
        return [left, middle];
    }
    return [x + away, y];
  }

  #lasso({ lasso }) {
    if (!lasso) return;
    const { context } = this;
    context.beginPath();
    lasso.forEach((point) => context.lineTo(...point));
    context.closePath();
    context.globalAlpha = 0.15;
    context.fillStyle = this.ink.mark;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = this.ink.mark;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
  }
}

const SEATS = [0, -1, 1, -2, 2, -3, 3, -4, 4].flatMap((down) => [[true, down], [false, down]]);
const plateBox = (x, y, width) => [x - 4, y - 9, x + width + 4, y + 9];
const middle = ([x0, y0], [x1, y1]) => [(x0 + x1) / 2, (y0 + y1) / 2];

function star(context, x, y, radius) {
  context.beginPath();
  for (let i = 0; i < 10; i++) {
    const angle = (i * Math.PI) / 5 - Math.PI / 2, r = i % 2 ? radius * 0.45 : radius;
    context.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  context.closePath();
}
