// Saves the view as it stands as a picture: PNG with twice the pixels of the screen, or SVG.

import { Annotations, FONT } from "map/annotations";
import { CanvasPainter } from "map/canvas_painter";
import { REGION_FONT } from "map/regions";
import { SvgContext, SvgText } from "map/svg_context";

const RATIO = 2; // device pixels per CSS pixel in a PNG

/** Offer a file to save. */
export function download(name, blob) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/**
 * A PNG of the view, as a blob.
 *
 * picture: { view, scene, points: { first, second, colours }, style (as for the painter), colours, shade (a canvas), tokens, rows }.
 */
export function pngOf({ view, scene, points, style, colours, shade, tokens, rows }) {
  const width = view.width * RATIO, height = view.height * RATIO;
  const picture = canvasOf(width, height), context = picture.getContext("2d");
  context.fillStyle = colours.background;
  context.fillRect(0, 0, width, height);
  context.globalAlpha = shade.opacity;
  context.drawImage(shade.canvas, ...shade.box.map((value) => value * RATIO));
  context.globalAlpha = 1;
  const dots = canvasOf(width, height), painter = new CanvasPainter(dots);
  painter.setPositions(points.first, points.second);
  painter.setColours(points.colours);
  painter.resize(width, height);
  painter.draw(view, style);
  const texts = canvasOf(width, height), annotations = new Annotations(texts, tokens, rows);
  annotations.colours = colours;
  annotations.pixelRatio = RATIO;
  annotations.draw(scene);
  context.drawImage(dots, 0, 0);
  context.drawImage(texts, 0, 0);
  return new Promise((resolve) => picture.toBlob(resolve, "image/png"));
}

/** An SVG of the view, as text. picture: as for pngOf. */
export function svgOf({ view, scene, points, style, colours, shade, tokens, rows }) {
  const { width, height } = view, context = new SvgContext();
  const annotations = new Annotations(canvasOf(1, 1), tokens, rows);
  Object.assign(annotations, { colours, context, pixelRatio: 1, textCache: new SvgText(FONT), nameCache: new SvgText(REGION_FONT) });
  annotations.draw(scene);
  const [x, y, w, h] = shade.box;
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="${width}" height="${height}" fill="${colours.background}"/>
<image x="${x}" y="${y}" width="${w}" height="${h}" opacity="${shade.opacity}" preserveAspectRatio="none" xlink:href="${shade.canvas.toDataURL()}"/>
<g fill="none" stroke-linecap="round" stroke-width="${2 * style.radius}" opacity="${style.opacity}">${dotsOf(view, points, style)}</g>
${context.elements.join("\n")}
</svg>
`;
}

/** The points in view: a path for each colour, with a line of length zero for each point. */
function dotsOf(view, { first, second, colours }, { blend }) {
  const paths = new Map();
  for (let i = 0; i < colours.length / 4; i++) {
    const [r, g, b, alpha] = colours.subarray(4 * i, 4 * i + 4);
    const at = (axis) => first[2 * i + axis] + (second[2 * i + axis] - first[2 * i + axis]) * blend;
    const [x, y] = view.toScreen(at(0), at(1));
    if (!alpha || x < -5 || y < -5 || x > view.width + 5 || y > view.height + 5) continue;
    const colour = `rgb(${r},${g},${b})`;
    if (!paths.has(colour)) paths.set(colour, []);
    paths.get(colour).push(`M${x.toFixed(1)} ${y.toFixed(1)}h0`);
  }
  return [...paths].map(([colour, parts]) => `<path stroke="${colour}" d="${parts.join("")}"/>`).join("\n");
}
