// What is drawn for the selection: rings, lines and arrows.

/**
 * { selected, marked, lines, arrows }, see Annotations.draw.
 *
 * selection: { selected, expression, neighbours }, of the state. pointsOf(rows): those on the map.
 */
export function selectionMarks({ selected, expression, neighbours }, pointsOf, positionOf) {
  const near = pointsOf(neighbours.map(({ row }) => row));
  if (expression) return expressionMarks(expression, near, pointsOf, positionOf);
  if (selected === null) return { selected: null, marked: [], lines: [], arrows: [] };
  const from = positionOf(selected);
  return { selected, marked: near, lines: near.map((to) => ({ from, to })), arrows: [] };
}

function expressionMarks({ partialSums, queryRows }, near, pointsOf, positionOf) {
  const arrows = partialSums
    .map(({ label, weights }) => ({
      label, position: meanPosition(weights, pointsOf, positionOf), isMinus: label.startsWith("-"), isToken: weights.length === 1,
    }))
    .filter(({ position }) => position);
  const from = arrows.at(-1)?.position;
  return {
    selected: null, marked: [...new Set([...pointsOf(queryRows), ...near])],
    lines: from ? near.map((to) => ({ from, to })) : [], arrows,
  };
}

/** The mean position of [[row, weight]], or null. Rows that are not on the map are ignored. */
function meanPosition(weights, pointsOf, positionOf) {
  let x = 0, y = 0, total = 0;
  for (const [row, weight] of weights)
    for (const point of pointsOf([row])) {
      const position = positionOf(point);
      x += weight * position[0];
      y += weight * position[1];
      total += weight;
    }
  return total ? [x / total, y / total] : null;
}
