// Everything drawn above the points: labels, lines from the selection to its neighbours, the arrows of
// an expression, rings around tokens, the lasso.

import { LABEL_HEIGHT, LABEL_OFFSET } from "map/label_placement";
import { REGION_FONT } from "map/regions";
import { TextCache } from "map/text_cache";

export const FONT = '12px system-ui, "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP", "Yu Gothic UI", Meiryo, sans-serif';

/** The label of a token, truncated if it is long; the tooltip shows the whole token. */
export const shorten = (token) => ([...token].length > 20 ? `${[...token].slice(0, 19).join("")}…` : token);

export class Annotations {
  constructor(canvas, tokens, rows) {
    Object.assign(this, {
      canvas, texts: Array.from(rows, (row) => shorten(tokens[row])), context: canvas.getContext("2d"), colours: {}, textCache: new TextCache(FONT, LABEL_HEIGHT),
      nameCache: new TextCache(REGION_FONT, 20),
    });
  }

  resize(width, height, pixelRatio) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.pixelRatio = pixelRatio;
  }

  /**
   * Draw one frame.
   *
   * view, positionOf(point): where things are. labels: a LabelPlacement; labelled: points; faded: whether
   * labels are faint. selected: a point or null. marked: points with a ring. lines: [{ from:
   * position, to: point }]. arrows: the stops of an expression, [{ label, position, isMinus, isToken }].
   * inside: points inside the lasso, with a ring and no text. regions: names of regions, [{ region, x, y, width }]. lasso: corners on the screen, or null. radius: of a point in pixels.
   */
  draw(scene) {
    const { context, pixelRatio } = this;
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    context.clearRect(0, 0, scene.view.width, scene.view.height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    this.occupied = []; // boxes of the text drawn so far, except labels
    this.#drawLabels(scene);
    this.#drawRegions(scene);
    this.#drawLines(scene);
    this.#drawArrows(scene);
    this.#drawInside(scene);
    this.#drawRings(scene);
    this.#drawLasso(scene);
  }

  #drawLabels({ view, labels, labelled, faded, regions }) {
    const { context, textCache, colours } = this;
    if (textCache.pixelRatio !== this.pixelRatio || textCache.text !== colours.text)
      textCache.reset({ pixelRatio: this.pixelRatio, text: colours.text, background: colours.background });
    context.globalAlpha = faded ? 0.35 : regions.length ? 0.6 : 1;
    const isUnderName = (left, y, width) =>
      regions.some((name) => left < name.x + name.width + 4 && name.x < left + width + 4 && Math.abs(name.y - y) < 18);
    context.setTransform(1, 0, 0, 1, 0, 0);
    const visible = [];
    const { x, y: ys, widths } = labels, { scale } = view;
    for (const point of labelled) { // without view.toScreen, as there can be thousands
      const left = (x[point] - view.x) * scale + view.width / 2 + LABEL_OFFSET, y = (view.y - ys[point]) * scale + view.height / 2;
      // a label that the edge of the screen would cut is left out, unless it is wider than the screen
      if (left < 0 || y < 8 || left > view.width - Math.min(widths[point], view.width / 2) || y > view.height - 8) continue;
      if (isUnderName(left, y, widths[point])) continue;
      visible.push({ text: this.texts[point], width: widths[point], x: left, y });
    }
    textCache.draw(context, visible);
    context.setTransform(this.pixelRatio, 0, 0, this.pixelRatio, 0, 0);
    context.globalAlpha = 1;
  }

  #drawRegions({ regions, faded }) {
    const { context, nameCache, colours, pixelRatio } = this;
    if (nameCache.pixelRatio !== pixelRatio || nameCache.text !== colours.name)
      nameCache.reset({ pixelRatio, text: colours.name, background: colours.background });
    context.globalAlpha = faded ? 0.35 : 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    nameCache.draw(context, regions.map(({ region, x, y, width }) => ({ text: region.name, width, x, y })));
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    context.globalAlpha = 1;
  }

  #drawLines({ view, positionOf, lines }) {
    const { context } = this;
    context.strokeStyle = this.colours.mark;
    context.lineWidth = 1.4;
    context.globalAlpha = 0.75;
    for (const { from, to } of lines) {
      context.beginPath();
      context.moveTo(...view.toScreen(...from));
      context.lineTo(...view.toScreen(...positionOf(to)));
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  /** An arrow from each partial sum of an expression to the next, and a star at the last. */
  #drawArrows({ view, arrows }) {
    const { context } = this;
    arrows.forEach(({ position, label, isMinus, isToken }, i) => {
      const to = view.toScreen(...position), from = i ? view.toScreen(...arrows[i - 1].position) : null;
      if (from) this.#drawArrow(from, to, isMinus);
      if (!from && isToken) return; // #drawRings writes the token itself there
      this.#drawText(label, ...(from ? midpoint(from, to) : [to[0] + LABEL_OFFSET, to[1] - 14]));
    });
    if (!arrows.length) return;
    const [x, y] = view.toScreen(...arrows.at(-1).position);
    context.fillStyle = this.colours.mark;
    context.strokeStyle = this.colours.background;
    context.lineWidth = 2;
    traceStar(context, x, y, 9);
    context.fill();
    context.stroke();
    this.occupied.push([x - 9, y - 9, x + 9, y + 9]);
  }

  #drawArrow([x0, y0], [x1, y1], isMinus) {
    const { context } = this;
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (length < 2) return;
    const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
    context.strokeStyle = context.fillStyle = this.colours.text;
    context.lineWidth = 2;
    context.setLineDash(isMinus ? [7, 5] : []);
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

  /** Draw text on a background, readable over anything. */
  #drawText(text, x, y, isInverted = false) {
    const { context, colours } = this;
    const width = context.measureText(text).width;
    this.occupied.push(textBox(x, y, width));
    context.fillStyle = isInverted ? colours.text : colours.background;
    context.globalAlpha = 0.92;
    context.beginPath();
    context.roundRect(x - 4, y - 9, width + 8, 18, 5);
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = isInverted ? colours.background : colours.text;
    context.fillText(text, x, y);
  }

  #drawRings({ view, positionOf, marked, selected, radius }) {
    const { context } = this;
    const ringed = selected === null ? marked : [selected, ...marked.filter((point) => point !== selected)];
    for (const point of ringed) {
      context.strokeStyle = point === selected ? this.colours.text : this.colours.mark;
      context.lineWidth = point === selected ? 3 : 2;
      context.beginPath();
      context.arc(...view.toScreen(...positionOf(point)), radius + 3, 0, 7);
      context.stroke();
    }
    for (const point of ringed) {
      const text = this.texts[point];
      this.#drawText(text, ...this.#freePosition(text, view.toScreen(...positionOf(point)), radius + 9, view), point === selected);
    }
  }

  /** A position on the screen for text next to a ring that covers no other text, as near as possible. */
  #freePosition(text, [x, y], distance, screen) {
    const width = this.context.measureText(text).width;
    for (const [isRight, lines] of TEXT_POSITIONS) {
      const left = isRight ? x + distance : x - distance - width, middle = y + lines * 19;
      const box = textBox(left, middle, width);
      if (box[0] < 0 || box[1] < 0 || box[2] > screen.width || box[3] > screen.height) continue;
      if (!this.occupied.some((other) => other[0] < box[2] && other[2] > box[0] && other[1] < box[3] && other[3] > box[1]))
        return [left, middle];
    }
    return [x + distance, y];
  }

  /** A ring around each point inside the lasso, all in one path. */
  #drawInside({ view, positionOf, inside, radius }) {
    const { context } = this;
    context.beginPath();
    for (const point of inside) {
      const [x, y] = view.toScreen(...positionOf(point));
      context.moveTo(x + radius + 2, y);
      context.arc(x, y, radius + 2, 0, 7);
    }
    context.strokeStyle = this.colours.mark;
    context.lineWidth = 1;
    context.stroke();
  }

  #drawLasso({ lasso }) {
    if (!lasso) return;
    const { context } = this;
    context.beginPath();
    lasso.forEach((corner) => context.lineTo(...corner));
    context.closePath();
    context.globalAlpha = 0.15;
    context.fillStyle = this.colours.mark;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = this.colours.mark;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
  }
}

// right and left of a point, and how many lines below it (negative: above)
const TEXT_POSITIONS = [0, -1, 1, -2, 2, -3, 3, -4, 4].flatMap((lines) => [[true, lines], [false, lines]]);
const textBox = (x, y, width) => [x - 4, y - 9, x + width + 4, y + 9];
const midpoint = ([x0, y0], [x1, y1]) => [(x0 + x1) / 2, (y0 + y1) / 2];

function traceStar(context, x, y, radius) {
  context.beginPath();
  for (let i = 0; i < 10; i++) {
    const angle = (i * Math.PI) / 5 - Math.PI / 2, r = i % 2 ? radius * 0.45 : radius;
    context.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  context.closePath();
}
