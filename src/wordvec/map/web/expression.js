// Expressions in the page: the grammar of `wordvec query`, and its exact search over the vectors
// that travel with the page in 8 bit.
//
//   expression = side ":" side ("=" | "::") side ":?"  |  sum
//   sum        = { sign } product { sign { sign } product }
//   product    = { number ("*" | "/") } vector { "*" number | "/" number }
//   vector     = word | "#" digits | "(" sum ")"

const WIDE = { "＋": "+", "－": "-", "−": "-", "＊": "*", "×": "*", "／": "/", "（": "(", "）": ")", "：": ":", "＝": "=" };
const QUOTES = '"”“＂';

export class ExpressionError extends Error {}

function tokenize(source) {
  const chars = [...source], tokens = [];
  const operator = (char) => WIDE[char] ?? ("+-*/():=".includes(char) ? char : null);
  for (let i = 0; i < chars.length; ) {
    if (/\s/u.test(chars[i])) i++;
    else if (QUOTES.includes(chars[i])) {
      let text = "";
      for (i++; i < chars.length && !QUOTES.includes(chars[i]); i++) text += chars[i] === "\\" ? chars[++i] ?? "" : chars[i];
      if (i++ >= chars.length) throw new ExpressionError("this quote is never closed");
      tokens.push({ kind: "word", text, quoted: true });
    } else if (operator(chars[i])) {
      const kind = operator(chars[i++]);
      if (kind === ":" && operator(chars[i]) === ":") tokens.push({ kind: "::" }), i++;
      else tokens.push({ kind });
    } else {
      let text = "", quoted = false;
      for (; i < chars.length && !operator(chars[i]) && !QUOTES.includes(chars[i]) && !/\s/u.test(chars[i]); i++)
        if (chars[i] === "\\") (text += chars[++i] ?? ""), (quoted = true);
        else text += chars[i];
      const id = !quoted && /^#[0-9]+$/.test(text);
      tokens.push(id ? { kind: "id", text, id: Number(text.slice(1)) } : { kind: "word", text, quoted });
    }
  }
  return [...tokens, { kind: "end" }];
}

const number = ({ kind, text, quoted }) => {
  const plain = kind === "word" && !quoted ? text.normalize("NFKC") : "";
  return /^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][0-9]+)?$/.test(plain) ? Number(plain) : null;
};

/** Read an expression: [{ operand, weight }], in the order written, the same operand once. */
export function parse(source) {
  const tokens = tokenize(source);
  let at = 0;
  const sees = (...kinds) => kinds.includes(tokens[at].kind);
  const fail = (message) => { throw new ExpressionError(message); };
  const expect = (...kinds) => (sees(...kinds) ? tokens[at++] : fail(`expected ${kinds.join(" or ")}`));

  function sum() {
    const terms = part();
    while (sees("+", "-")) terms.push(...part());
    return terms;
  }

  function signs() {
    let sign = 1;
    while (sees("+", "-")) sign *= tokens[at++].kind === "-" ? -1 : 1;
    return sign;
  }

  function part() {
    let sign = signs();
    const factors = [{ operator: "*", ...vector() }];
    while (sees("*", "/")) {
      const operator = tokens[at++].kind;
      sign *= signs();
      factors.push({ operator, ...vector() });
    }
    const chosen = vectorOf(factors);
    const weight = factors.reduce((product, factor, i) => i === chosen ? product : scaled(product, factor), sign);
    return factors[chosen].terms.map((term) => ({ ...term, weight: term.weight * weight }));
  }

  function scaled(product, { operator, number }) {
    if (operator === "/" && number === 0) fail("division by zero");
    return operator === "*" ? product * number : product / number;
  }

  /** The one factor that is no coefficient; among bare numbers, as the grammar says. */
  function vectorOf(factors) {
    const words = [...factors.keys()].filter((i) => factors[i].number === null);
    if (words.some((i) => factors[i].operator === "/")) fail("only a number can stand after /");
    if (words.length > 1) fail("two words cannot be multiplied");
    if (words.length) return words[0];
    if (factors.length > 1 && factors[1].operator === "/") return 0;
    return Math.max(...[...factors.keys()].filter((i) => factors[i].operator === "*"));
  }

  function vector() {
    if (sees("(")) {
      at++;
      const terms = sum();
      expect(")");
      return { terms, number: null };
    }
    if (!sees("word", "id")) fail("expected a word");
    const token = tokens[at++];
    return { terms: [{ operand: token, weight: 1 }], number: number(token) };
  }

  function side() {
    if (sees("+", "-")) fail("a sum inside an analogy goes in parentheses");
    return vector().terms;
  }

  function isAnalogy() {
    let depth = 0;
    return tokens.some(({ kind }) => {
      depth += (kind === "(") - (kind === ")");
      return depth <= 0 && [":", "::", "="].includes(kind);
    });
  }

  function analogy() {
    const a = side();
    expect(":");
    const b = side();
    expect("=", "::");
    const c = side();
    expect(":");
    if (!["?", "？"].includes(tokens[at].text) || tokens[at++].quoted) fail("the last place of an analogy is ?");
    return [...c, ...a.map((term) => ({ ...term, weight: -term.weight })), ...b];
  }

  if (sees("end")) fail("write words, as in 王-男+女");
  const terms = isAnalogy() ? analogy() : sum();
  if (!sees("end")) fail(sees(")") ? "this parenthesis was never opened" : "expected + or - between two words");
  return merged(terms);
}

function merged(terms) {
  const known = new Map();
  for (const { operand, weight } of terms) {
    const key = `${operand.kind} ${operand.text}`;
    if (known.has(key)) known.get(key).weight += weight;
    else known.set(key, { operand, weight });
  }
  return [...known.values()];
}

/** Turns words into rows as `wordvec query` does: as spelled, at a word's start, NFKC, lower case. */
export function lookup(tokens, { lowercase, start }) {
  const index = new Map();
  tokens.forEach((token, row) => index.has(token) || index.set(token, row));
  return ({ kind, text, id }) => {
    if (kind === "id") {
      if (id >= tokens.length) throw new ExpressionError(`no token has the id ${id}`);
      return id;
    }
    const normal = text.normalize("NFKC");
    const forms = lowercase ? [text, normal, normal.toLowerCase()] : [text, normal];
    for (const form of forms.flatMap((word) => (start ? [word, start + word] : [word]))) if (index.has(form)) return index.get(form);
    throw new ExpressionError(`${text || '""'} is no token; the terminal takes it apart: wordvec query --pieces`);
  };
}

/** The k nearest rows to a vector: [{ row, score }], ties to the lower row. */
export function nearest(query, { values, scales, dimensions }, metric, k, bad) {
  const size = Math.hypot(...query);
  const hits = [];
  for (let row = 0; row < scales.length; row++) {
    if (bad.has(row)) continue;
    let dot = 0, square = 0;
    for (let d = 0, i = row * dimensions; d < dimensions; d++, i++) {
      dot += query[d] * values[i];
      square += values[i] * values[i];
    }
    if (metric === "cosine" && !square) continue;
    const scale = scales[row];
    const score = metric === "cosine" ? dot / (Math.sqrt(square) * size || 1)
      : Math.sqrt(Math.max(size * size - 2 * scale * dot + scale * scale * square, 0));
    const worse = metric === "cosine" ? (hit) => hit.score < score : (hit) => hit.score > score;
    if (hits.length < k || worse(hits[k - 1])) {
      const place = hits.findIndex(worse);
      hits.splice(place < 0 ? hits.length : place, 0, { row, score });
      hits.length = Math.min(hits.length, k);
    }
  }
  return hits;
}

/** Weighted sum of rows, (D,) numbers. */
export function combine(terms, { values, scales, dimensions }) {
  const sum = new Float64Array(dimensions);
  for (const { row, weight } of terms)
    for (let d = 0; d < dimensions; d++) sum[d] += weight * scales[row] * values[row * dimensions + d];
  return sum;
}
