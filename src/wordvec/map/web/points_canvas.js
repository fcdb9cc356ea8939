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
    const { inner, rim, shares, reach } = disc(radius * ratio, w);
    const stretch = scale * ratio, full = Math.round(255 * strength);
    pixels.fill(0);
    for (let i = 0; i < colours.length; i++) {
      const colour = colours[i] & 0xffffff;
      if (colours[i] >>> 24 === 0) continue;
      const px = first[2 * i] + (second[2 * i] - first[2 * i]) * between;
      const py = first[2 * i + 1] + (second[2 * i + 1] - first[2 * i + 1]) * between;
      const column = Math.round((px - x) * stretch + w / 2), line = Math.round((y - py) * stretch + h / 2);
      if (column < reach || line < reach || column >= w - reach || line >= h - reach) continue;
      const middle = line * w + column;
      for (let k = 0; k < inner.length; k++) pixels[middle + inner[k]] = colour | (full << 24);
      for (let k = 0; k < rim.length; k++) {
        const alpha = full * shares[k];
        if (pixels[middle + rim[k]] >>> 24 < alpha) pixels[middle + rim[k]] = colour | (alpha << 24);
      }
    }
    this.context.putImageData(image, 0, 0);
  }
}

/** The pixels of a disc as steps through the image: those inside, and those that it covers in part. */
function disc(radius, width) {
  const inner = [], rim = [], shares = [];
  const reach = Math.ceil(radius + 0.5);
  for (let line = -reach; line <= reach; line++)
    for (let column = -reach; column <= reach; column++) {
      const share = radius + 0.5 - Math.hypot(line, column), step = line * width + column;
      if (share >= 1) inner.push(step);
      else if (share > 0.1) rim.push(step) && shares.push(share);
    }
  return { inner, rim, shares, reach };
}
