// Draws points without WebGL. For discs of a few pixels, writing pixels is faster than the drawing
// functions of Canvas 2D.

export class CanvasPainter {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d"), name: "canvas" });
  }

  /** first, second: (N, 2) float32. */
  setPositions(first, second) {
    Object.assign(this, { first, second });
  }

  /** colours: (N, 4) uint8, alpha 0 hides a point. */
  setColours(colours) {
    this.colours = new Uint32Array(colours.slice().buffer); // one number per colour
  }

  resize(width, height) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** blend: 0 for the first positions, 1 for the second. radius: CSS pixels. opacity: 0 to 1. */
  draw({ x, y, scale, width }, { blend, radius, opacity }) {
    const { first, second, colours, pixels, image } = this;
    const w = image.width, h = image.height, pixelRatio = w / width;
    const { inside, edge, coverage, reach } = disc(radius * pixelRatio, w);
    const pixelScale = scale * pixelRatio, fullAlpha = Math.round(255 * opacity);
    pixels.fill(0);
    for (let i = 0; i < colours.length; i++) {
      const colour = colours[i] & 0xffffff;
      if (colours[i] >>> 24 === 0) continue;
      const px = first[2 * i] + (second[2 * i] - first[2 * i]) * blend;
      const py = first[2 * i + 1] + (second[2 * i + 1] - first[2 * i + 1]) * blend;
      const column = Math.round((px - x) * pixelScale + w / 2), line = Math.round((y - py) * pixelScale + h / 2);
      if (column < reach || line < reach || column >= w - reach || line >= h - reach) continue;
      const centre = line * w + column;
      for (let k = 0; k < inside.length; k++) pixels[centre + inside[k]] = colour | (fullAlpha << 24);
      for (let k = 0; k < edge.length; k++) {
        const alpha = fullAlpha * coverage[k];
        if (pixels[centre + edge[k]] >>> 24 < alpha) pixels[centre + edge[k]] = colour | (alpha << 24);
      }
    }
    this.context.putImageData(image, 0, 0);
  }
}

/** The pixels of a disc as offsets in the image: those inside, and those on the edge with their coverage. */
function disc(radius, width) {
  const inside = [], edge = [], coverage = [];
  const reach = Math.ceil(radius + 0.5);
  for (let line = -reach; line <= reach; line++)
    for (let column = -reach; column <= reach; column++) {
      const covered = radius + 0.5 - Math.hypot(line, column), offset = line * width + column;
      if (covered >= 1) inside.push(offset);
      else if (covered > 0.1) edge.push(offset) && coverage.push(covered);
    }
  return { inside, edge, coverage, reach };
}
