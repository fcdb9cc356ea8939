// Points drawn without WebGL: pixels written one by one, which for discs of a few pixels is quicker
// than any drawing call of Canvas 2D.

export class CanvasPoints {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d"), name: "canvas" });
  }

  set(first, second, colours) {
    Object.assign(this, { first, second });
    this.recolour(colours);
  }

  recolour(colours) {
    this.colours = new Uint32Array(colours.slice().buffer); // one number a pixel
  }

  resize(width, height) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  draw({ x, y, scale, width }, { between, radius, strength }) {
    const { first, second, colours, pixels, image } = this;
    const w = image.width, h = image.height, ratio = w / width;
    const disc = offsets(radius * ratio, w), edge = Math.ceil(radius * ratio);
    const stretch = scale * ratio, faint = strength < 1 ? Math.round(255 * strength) : 255;
    pixels.fill(0);
    for (let i = 0; i < colours.length; i++) {
      const colour = colours[i];
      if (colour >>> 24 === 0) continue;
      const px = first[2 * i] + (second[2 * i] - first[2 * i]) * between;
      const py = first[2 * i + 1] + (second[2 * i + 1] - first[2 * i + 1]) * between;
      const column = Math.round((px - x) * stretch + w / 2), line = Math.round((y - py) * stretch + h / 2);
      if (column < edge || line < edge || column >= w - edge || line >= h - edge) continue;
      const middle = line * w + column, painted = (colour & 0xffffff) | (faint << 24);
      for (let k = 0; k < disc.length; k++) pixels[middle + disc[k]] = painted;
    }
    this.context.putImageData(image, 0, 0);
  }
}

/** Which pixels around the middle one a disc covers, as steps through the image. */
function offsets(radius, width) {
  const steps = [];
  const reach = Math.ceil(radius);
  for (let line = -reach; line <= reach; line++)
    for (let column = -reach; column <= reach; column++)
      if (Math.hypot(line, column) <= radius) steps.push(line * width + column);
  return Int32Array.from(steps);
}
