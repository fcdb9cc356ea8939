// The data embedded in the page: JSON, and packed arrays (gzip in base 85, written by packing.py).

export const metadata = JSON.parse(document.getElementById("metadata").textContent);

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%.()*+-;,=>?@^_`{|}~";
const VALUES = new Uint8Array(128);
[...DIGITS].forEach((digit, value) => (VALUES[digit.charCodeAt(0)] = value));

/** Decode base 85: five digits are four bytes, the first byte first. The last group may be shorter. */
function decode(text) {
  const count = Math.ceil(text.length / 5), bytes = new DataView(new ArrayBuffer(4 * count));
  const whole = text.padEnd(5 * count, "~");
  for (let i = 0, at = 0; i < count; i++) {
    let number = 0;
    for (const end = at + 5; at < end; at++) number = number * 85 + VALUES[whole.charCodeAt(at)];
    bytes.setUint32(4 * i, number);
  }
  return bytes.buffer.slice(0, 4 * count - (whole.length - text.length));
}

async function readBytes(name) {
  const element = document.getElementById(`pack-${name}`);
  const packed = decode(element.textContent);
  element.remove(); // free the memory of the text
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

const isEmbedded = (name) => document.getElementById(`pack-${name}`) !== null;
export const readText = async (name) => new TextDecoder().decode(await readBytes(name));

async function readArray(name, Type) {
  return new Type(await readBytes(name));
}

/**
 * 32-bit integers, stored as the lowest bytes of all numbers, then the next bytes, and so on. They are stored column by
 * column if there are N rows of several numbers, and returned row by row.
 */
async function readBytePlanes(name, N = null) {
  const bytes = await readArray(name, Uint8Array);
  const count = bytes.length / 4, rows = N ?? count, columns = count / rows;
  const numbers = new Int32Array(count);
  for (let column = 0, i = 0; column < columns; column++)
    for (let row = 0; row < rows; row++, i++)
      numbers[row * columns + column] = bytes[i] | (bytes[count + i] << 8) | (bytes[2 * count + i] << 16) | (bytes[3 * count + i] << 24);
  return numbers;
}

/**
 * The tokens of the table (V), and of the map (N). A row is an index into the V tokens, a point is an
 * index into the N tokens on the map. pointOfRow has -1 for rows that are not on the map.
 */
export async function load() {
  const tokens = JSON.parse(await readText("tokens"));
  const rows = await readBytePlanes("rows"); // the row of each point, stored as the step from the one before
  for (let point = 1; point < rows.length; point++) rows[point] += rows[point - 1];
  const classes = await readArray("classes", Uint8Array);
  const pointOfRow = new Int32Array(tokens.length).fill(-1);
  rows.forEach((row, point) => (pointOfRow[row] = point));
  const tables = await Promise.all(metadata.tables.map((_, i) => loadTable(i, rows.length)));
  const labels = isEmbedded("labels") ? await readArray("labels", Int32Array) : null;
  return { tokens, rows, classes, pointOfRow, tables, labels };
}

const least = (values) => values.reduce((a, b) => Math.min(a, b));
const most = (values) => values.reduce((a, b) => Math.max(a, b));
const dropMissing = (points) => points.filter((point) => point >= 0);

/** A table: has(N), whether it has each token on the map; what it lacks is NaN, -1 or 0 in the other arrays. */
async function loadTable(i, N) {
  const { steps, minimum, regions } = metadata.tables[i];
  const has = isEmbedded(`has-${i}`) ? await readArray(`has-${i}`, Uint8Array) : null;
  const points = has && [...has.keys()].filter((point) => has[point]);
  const spread = (values, missing) => spreadOver(points, N, values, missing);
  const positions = await readArray(`positions-${i}`, Uint16Array); // all x, then all y
  const count = positions.length / 2;
  const coordinates = (start, axis) =>
    Float32Array.from(positions.subarray(start, start + count), (value) => minimum[axis] + value * steps[axis]);
  const x = coordinates(0, 0), y = coordinates(count, 1);
  const regionOf = await Promise.all(regions.map((_, level) => readBytePlanes(`regions-${level}-${i}`)));
  return {
    ...metadata.tables[i],
    points,
    has: has ?? new Uint8Array(N).fill(1),
    normRange: metadata.tables[i].norms,
    x: spread(x, NaN),
    y: spread(y, NaN),
    bounds: { left: least(x), right: most(x), bottom: least(y), top: most(y) },
    neighbours: null, // until loadNeighbours
    scores: null,
    norms: spread(await readArray(`norms-${i}`, Uint8Array), 0), // (N,) 0 to 255, steps of the range in the metadata
    levels: regionOf.map((numbers, level) => ({ // of detail
      regionOf: spread(numbers.map((number) => number - 1), -1), typical: regions[level].map(dropMissing),
    })),
    vectors: isEmbedded(`vectors-${i}`) ? await loadVectors(i) : null,
  };
}

/** The values of some points in an array of all N, of the same number of columns. points: null for all. */
function spreadOver(points, N, values, missing) {
  if (points === null) return values;
  const columns = values.length / points.length, result = new values.constructor(N * columns).fill(missing);
  points.forEach((point, i) => result.set(values.subarray(i * columns, (i + 1) * columns), point * columns));
  return result;
}

/** Load the neighbours of the i-th table: half of the page, and not needed to show the map. */
export async function loadNeighbours(table, i, N) {
  const count = table.points?.length ?? N;
  const steps = await readBytePlanes(`scores-${i}`, count); // from one neighbour to the next
  const K = steps.length / count, scores = new Float64Array(steps.length);
  for (let j = 0, sum = 0; j < steps.length; j++) {
    sum = j % K ? sum + steps[j] : steps[j];
    scores[j] = sum / table.scoreMultiplier;
  }
  table.neighbours = spreadOver(table.points, N, await readBytePlanes(`neighbours-${i}`, count), -1); // (N, K) rows, nearest first; -1 for none
  table.scores = spreadOver(table.points, N, scores, NaN); // (N, K)
}

/** values: (V, D) 8-bit integers. scales: (V,) the factor of each row. searchable: (V,) whether it can be an answer. */
async function loadVectors(i) {
  const values = await readArray(`vectors-${i}`, Int8Array);
  const scales = await readArray(`scales-${i}`, Float32Array);
  const searchable = await readArray(`searchable-${i}`, Uint8Array);
  return { values, scales, searchable, dimensions: values.length / scales.length };
}
