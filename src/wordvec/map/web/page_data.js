// The data embedded in the page: JSON, and packed arrays (base64 of gzip, written by packing.py).

export const metadata = JSON.parse(document.getElementById("metadata").textContent);

async function readBytes(name) {
  const element = document.getElementById(`pack-${name}`);
  const packed = Uint8Array.from(atob(element.textContent), (char) => char.charCodeAt(0));
  element.remove(); // free the memory of the text
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

const isEmbedded = (name) => document.getElementById(`pack-${name}`) !== null;
export const readText = async (name) => new TextDecoder().decode(await readBytes(name));

async function readArray(name, Type) {
  return new Type(await readBytes(name));
}

/** 32-bit integers, stored as the lowest bytes of all numbers, then the next bytes, and so on. */
async function readBytePlanes(name) {
  const bytes = await readArray(name, Uint8Array);
  const count = bytes.length / 4;
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    numbers[i] = bytes[i] | (bytes[count + i] << 8) | (bytes[2 * count + i] << 16) | (bytes[3 * count + i] << 24);
  }
  return numbers;
}

/**
 * The tokens of the table (V), and of the map (N). A row is an index into the V tokens, a point is an
 * index into the N tokens on the map. pointOfRow has -1 for rows that are not on the map.
 */
export async function load() {
  const tokens = JSON.parse(await readText("tokens"));
  const rows = await readArray("rows", Uint32Array); // the row of each point
  const classes = await readArray("classes", Uint8Array);
  const pointOfRow = new Int32Array(tokens.length).fill(-1);
  rows.forEach((row, point) => (pointOfRow[row] = point));
  const tables = [];
  for (let i = 0; i < metadata.tables.length; i++) tables.push(await loadTable(i));
  return { tokens, rows, classes, pointOfRow, tables };
}

async function loadTable(i) {
  const { steps, minimum, scoreMultiplier } = metadata.tables[i];
  const positions = await readArray(`positions-${i}`, Uint16Array); // all x, then all y
  const count = positions.length / 2;
  const coordinates = (start, axis) =>
    Float32Array.from(positions.subarray(start, start + count), (value) => minimum[axis] + value * steps[axis]);
  const scores = new Int32Array((await readBytePlanes(`scores-${i}`)).buffer);
  return {
    ...metadata.tables[i],
    x: coordinates(0, 0),
    y: coordinates(count, 1),
    neighbours: await readBytePlanes(`neighbours-${i}`), // (N, K) rows, nearest first
    scores: Float64Array.from(scores, (value) => value / scoreMultiplier), // (N, K)
    vectors: isEmbedded(`vectors-${i}`) ? await loadVectors(i) : null,
  };
}

/** values: (V, D) 8-bit integers. scales: (V,) the factor of each row. */
async function loadVectors(i) {
  const values = await readArray(`vectors-${i}`, Int8Array);
  const scales = await readArray(`scales-${i}`, Float32Array);
  return { values, scales, dimensions: values.length / scales.length };
}
