// What the page carries: packed arrays (base64 of gzip) unpacked into typed arrays.

export const about = JSON.parse(document.getElementById("about").textContent);

async function bytes(name) {
  const element = document.getElementById(`pack-${name}`);
  const packed = Uint8Array.from(atob(element.textContent), (char) => char.charCodeAt(0));
  element.remove(); // the text is not needed again
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export const has = (name) => document.getElementById(`pack-${name}`) !== null;
export const text = async (name) => new TextDecoder().decode(await bytes(name));

async function array(name, Type) {
  return new Type(await bytes(name));
}

/** Numbers stored as the low bytes of all, then the next bytes of all: gzip likes it. */
async function planes(name) {
  const packed = await array(name, Uint8Array);
  const count = packed.length / 4;
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    numbers[i] =
      packed[i] | (packed[count + i] << 8) | (packed[2 * count + i] << 16) | (packed[3 * count + i] << 24);
  }
  return numbers;
}

/** Everything about tokens: V of the table, of which N (`rows`) are on the map. */
export async function load() {
  const tokens = JSON.parse(await text("tokens"));
  const rows = await array("rows", Uint32Array);
  const classes = await array("classes", Uint8Array);
  const slotOf = new Int32Array(tokens.length).fill(-1); // row of the table → slot of the map
  rows.forEach((row, slot) => (slotOf[row] = slot));
  const layers = [];
  for (let i = 0; i < about.layers.length; i++) layers.push(await layer(i));
  return { tokens, rows, classes, slotOf, layers };
}

async function layer(i) {
  const { steps, floor } = about.layers[i];
  const places = await array(`places-${i}`, Uint16Array); // all x, then all y
  const count = places.length / 2;
  const axis = (from, a) =>
    Float32Array.from(places.subarray(from, from + count), (value) => floor[a] + value * steps[a]);
  const scores = Float64Array.from(
    new Int32Array((await planes(`scores-${i}`)).buffer), (value) => value / about.layers[i].unit);
  return {
    ...about.layers[i],
    x: axis(0, 0),
    y: axis(count, 1),
    neighbours: await planes(`neighbours-${i}`), // (N, K) rows, nearest first
    scores,
    vectors: has(`vectors-${i}`) ? await vectors(i) : null,
  };
}

/** (V, D) whole numbers of 8 bit, and what each row's are to be multiplied by. */
async function vectors(i) {
  const values = await array(`vectors-${i}`, Int8Array);
  const scales = await array(`scales-${i}`, Float32Array);
  return { values, scales, dimensions: values.length / scales.length };
}
