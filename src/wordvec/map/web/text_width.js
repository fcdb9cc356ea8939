// The width of text on a canvas. Measuring hundreds of thousands of tokens takes a second, so widths of characters are added.

/** A function that returns the width of a text in a font, in pixels, without kerning. */
export function measureIn(font) {
  const context = document.createElement("canvas").getContext("2d"), widths = new Map();
  context.font = font;
  const widthOf = (char) => {
    if (!widths.has(char)) widths.set(char, context.measureText(char).width);
    return widths.get(char);
  };
  return (text) => {
    let sum = 0;
    for (const char of text) sum += widthOf(char);
    return sum;
  };
}
