// Shading behind the points: the density of the tokens shown, on a grid that the browser scales up.

const SIZE = 160; // cells per side
const MARGIN = 0.06; // around the bounds, as a share of the larger side
const FADES = [1.5, 3]; // zoom, relative to the whole map, between which the shading fades out
const OPACITY = 0.16; // of the densest cell

export class Density {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d") });
    canvas.width = canvas.height = SIZE;
  }

  /** Recompute for N positions; isVisible: a boolean for each; colour: [r, g, b]. */
  reset(x, y, isVisible, { left, right, bottom, top }, colour) {
    const side = Math.max(right - left, top - bottom) * (1 + 2 * MARGIN);
    Object.assign(this, { side, left: (left + right - side) / 2, top: (top + bottom + side) / 2 });
    let cells = new Float32Array(SIZE * SIZE);
    for (let point = 0; point < x.length; point++) {
      if (!isVisible[point]) continue;
      const column = Math.floor(((x[point] - this.left) / side) * SIZE), line = Math.floor(((this.top - y[point]) / side) * SIZE);
      cells[line * SIZE + column]++;
    }
    for (let i = 0; i < 3; i++) cells = blur(cells); // three box filters are nearly Gaussian
    const most = cells.reduce((a, b) => Math.max(a, b), 1e-9);
    const image = this.context.createImageData(SIZE, SIZE);
    cells.forEach((value, i) => image.data.set([...colour, 255 * OPACITY * Math.sqrt(value / most)], 4 * i));
    this.context.putImageData(image, 0, 0);
  }

  /** Where the shading is in a view, for a picture: { canvas, opacity, box: [x, y, width, height] } on the screen. */
  placed(view) {
    const size = this.side * view.scale;
    return { canvas: this.canvas, opacity: this.#opacity(view), box: [...view.toScreen(this.left, this.top), size, size] };
  }

  #opacity(view) {
    return Math.min(Math.max((FADES[1] - view.scale / view.fitScale) / (FADES[1] - FADES[0]), 0), 1);
  }

  /** Move the shading to where the view is. */
  show(view) {
    const opacity = this.#opacity(view);
    this.canvas.hidden = opacity === 0;
    const [x, y] = view.toScreen(this.left, this.top), k = (this.side * view.scale) / SIZE;
    this.canvas.style.cssText = `opacity: ${opacity}; transform: translate(${x}px, ${y}px) scale(${k})`;
  }
}

/** The mean of each cell and its eight neighbours. */
function blur(cells) {
  const result = new Float32Array(cells.length);
  for (let line = 1; line < SIZE - 1; line++)
    for (let column = 1; column < SIZE - 1; column++) {
      let sum = 0;
      for (const step of [-SIZE - 1, -SIZE, -SIZE + 1, -1, 0, 1, SIZE - 1, SIZE, SIZE + 1]) sum += cells[line * SIZE + column + step];
      result[line * SIZE + column] = sum / 9;
    }
  return result;
}
