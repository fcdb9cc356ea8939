// Chooses how points are drawn: with WebGL on a graphics card, otherwise without it.

import { requestedPainter } from "map/address";
import { CanvasPainter } from "map/canvas_painter";
import { createElement } from "map/details_panel";
import { readText } from "map/page_data";
import { WebGLPainter } from "map/webgl_painter";

/** Start drawing points on the canvas #points. The hash #canvas or #webgl in the URL chooses a painter. */
export async function startPainter() {
  return (await startWebGL()) ?? new CanvasPainter(document.getElementById("points"));
}

async function startWebGL() {
  const requested = requestedPainter();
  if (requested === "canvas" || (requested === null && !hasGraphicsCard())) return null;
  const canvas = document.getElementById("points");
  try {
    return await WebGLPainter.start(canvas, await readText("library"));
  } catch (error) {
    console.warn("WebGL failed, points are drawn without it:", error);
    canvas.replaceWith(createElement("canvas", { id: "points", ariaHidden: "true" })); // the old one may have a WebGL context
    return null;
  }
}

/** Whether WebGL runs on a graphics card. In software, CanvasPainter is several times faster. */
function hasGraphicsCard() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = gl ? String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : "software";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}
