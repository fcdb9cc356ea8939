// The parts of the screen that no card covers, in CSS pixels.

const boxOf = (id) => document.getElementById(id).getBoundingClientRect();

/** The heights that cards in the middle of the screen cover from above and from below. */
export function coveredHeights(width, height) {
  const cards = ["header", "table-slider", "tools"].map(boxOf);
  const central = cards.filter((card) => card.width && card.left < width / 2 && card.right > width / 2);
  const above = Math.max(0, ...central.filter((card) => card.top < height / 2).map((card) => card.bottom));
  const below = Math.max(0, ...central.filter((card) => card.top >= height / 2).map((card) => height - card.top));
  return above + below < height * 0.7 ? { above, below } : { above: 0, below: 0 };
}

/** The area between header and details, where shown: side by side on a wide screen, otherwise one above the other. */
export function freeArea(width, height) {
  const [header, details, slider, tools] = ["header", "details", "table-slider", "tools"].map(boxOf);
  const lowest = [details, slider, tools].find((card) => card.width);
  return width > 900 ? { left: header.right, right: details.width ? details.left : width, top: 0, bottom: height }
    : { left: 0, right: width, top: header.bottom, bottom: Math.max(lowest.top, header.bottom + 100) };
}
