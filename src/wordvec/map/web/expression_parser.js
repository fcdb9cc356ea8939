// Expressions on the page, with the grammar and the word lookup of `wordvec query`.
//
//   expression = side ":" side ("=" | "::") side ":?"  |  sum
//   sum        = { sign } product { sign { sign } product }
//   product    = { number ("*" | "/") } vector { "*" number | "/" number }
//   vector     = word | "#" digits | "(" sum ")"

const FULL_WIDTH = { "＋": "+", "－": "-", "−": "-", "＊": "*", "×": "*", "／": "/", "÷": "/", "（": "(", "）": ")", "：": ":", "＝": "=" };
const QUOTES = '"”“＂';
const BRACKETS = { "「": "」", "『": "』" };
// An exponent with a sign belongs to its number only beside a * or /.
const SIGNED_NUMBER = /^(?:[0-9０-９]+(?:[.．][0-9０-９]*)?|[.．][0-9０-９]+)[eEｅＥ][-+－−＋][0-9０-９]+/u;

export class ExpressionError extends Error {}

function tokenize(source) {
  const chars = [...source], tokens = [];
  const operator = (char) => FULL_WIDTH[char] ?? ("+-*/():=".includes(char) ? char : null);
  const endsPlain = (char) => operator(char) || QUOTES.includes(char) || char in BRACKETS || /\s/u.test(char);
  const signedNumber = (i) => {
    const digits = SIGNED_NUMBER.exec(chars.slice(i).join(""))?.[0];
    const after = digits && chars.slice(i + digits.length);
    const scales = (kind) => kind === "*" || kind === "/";
    if (!digits || scales(operator(after.find((char) => !/\s/u.test(char))))) return digits;
    return scales(tokens.at(-1)?.kind) && (!after.length || after[0] === "\\" || endsPlain(after[0])) ? digits : null;
  };
  for (let i = 0; i < chars.length; ) {
    const coefficient = /[0-9０-９.．]/u.test(chars[i]) ? signedNumber(i) : null;
    if (/\s/u.test(chars[i])) i++;
    else if (coefficient) {
      tokens.push({ kind: "word", text: coefficient, quoted: false });
      i += coefficient.length;
    } else if (QUOTES.includes(chars[i]) || chars[i] in BRACKETS) {
      const closing = BRACKETS[chars[i]] ?? QUOTES;
      let text = "";
      for (i++; i < chars.length && !closing.includes(chars[i]); i++) text += chars[i] === "\\" ? chars[++i] ?? "" : chars[i];
      if (i++ >= chars.length) throw new ExpressionError("this quote is not closed");
      tokens.push({ kind: "word", text, quoted: true });
    } else if (operator(chars[i])) {
      const kind = operator(chars[i++]);
      if (kind === ":" && operator(chars[i]) === ":") tokens.push({ kind: "::" }), i++;
      else tokens.push({ kind });
    } else {
      let text = "", quoted = false;
      for (; i < chars.length && !endsPlain(chars[i]); i++)
        if (chars[i] === "\\") (text += chars[++i] ?? ""), (quoted = true);
        else text += chars[i];
      const id = !quoted && /^[#＃][0-9０-９]+$/.test(text);
      const number = Number(text.slice(1).normalize("NFKC"));
      tokens.push(id ? { kind: "id", text: `#${number}`, id: number } : { kind: "word", text, quoted });
    }
  }
  return [...tokens, { kind: "end" }];
}

/** The value of a token that is a number, or null. */
function numberOf({ kind, text, quoted }) {
  const digits = kind === "word" && !quoted ? text.normalize("NFKC").replace("−", "-") : "";
  return /^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(digits) ? Number(digits) : null;
}

/** Parse an expression into [{ operand, weight }], in the order written, each operand once. */
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
    const vectorIndex = findVector(factors);
    const weight = factors.reduce((product, factor, i) => i === vectorIndex ? product : scale(product, factor), sign);
    return factors[vectorIndex].terms.map((term) => ({ ...term, weight: term.weight * weight }));
  }

  function scale(product, { operator, number }) {
    if (operator === "/" && number === 0) fail("division by zero");
    return operator === "*" ? product * number : product / number;
  }

  /** The index of the factor that is not a coefficient: see the rules for numbers in parser.py. */
  function findVector(factors) {
    const words = [...factors.keys()].filter((i) => factors[i].number === null);
    if (words.some((i) => factors[i].operator === "/")) fail("only a number may follow /");
    if (words.length > 1) fail("two words cannot be multiplied");
    if (words.length) return words[0];
    if (factors.length > 1 && factors[1].operator === "/") return 0;
    return Math.max(...[...factors.keys()].filter((i) => factors[i].operator === "*"));
  }

  function vector() {
    if (sees("(")) {
      at++;
      const terms = sum();
      if (!sees(")")) fail("this parenthesis is not closed");
      at++;
      return { terms, number: null };
    }
    if (!sees("word", "id")) fail("expected a word");
    const token = tokens[at++];
    return { terms: [{ operand: token, weight: 1 }], number: numberOf(token) };
  }

  function side() {
    if (sees("+", "-")) fail("a sum inside an analogy needs parentheses");
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
    if (!["?", "？"].includes(tokens[at].text) || tokens[at++].quoted) fail("expected ? as the last part of the analogy");
    return [...c, ...a.map((term) => ({ ...term, weight: -term.weight })), ...b];
  }

  if (sees("end")) fail("type words, for example 王-男+女");
  const terms = isAnalogy() ? analogy() : sum();
  if (!sees("end")) fail(sees(")") ? "this parenthesis has no opening one" : "expected + or - between two words");
  return mergeTerms(terms);
}

/** Add up the weights of equal operands. */
function mergeTerms(terms) {
  const merged = new Map();
  for (const { operand, weight } of terms) {
    const key = `${operand.kind} ${operand.text}`;
    if (merged.has(key)) merged.get(key).weight += weight;
    else merged.set(key, { operand, weight });
  }
  return [...merged.values()];
}

// Scripts that are written without spaces; the same ranges as in vocabulary/spelling.py.
const UNSPACED =
  /^[\u{e00}-\u{10ff}\u{1780}-\u{17ff}\u{2e80}-\u{a4cf}\u{f900}-\u{faff}\u{ff66}-\u{ff9f}\u{1b000}-\u{10ffff}]/u;

/**
 * A function that finds the row of an operand as `wordvec query` does: the word as typed, after
 * NFKC, in lower case (if the model uses it). A word that stands alone is a whole word: with its mark
 * first, except where the model itself would not put one.
 */
export function createLookup(tokens, { lowercase, wordStart, wordEnd, marksStart, bareIds }) {
  const bare = new Set(bareIds);
  const index = new Map(tokens.map((token, row) => [token, row])); // the last of equal tokens
  const spellings = (word) => {
    if (wordEnd && !word.endsWith(wordEnd)) return [word + wordEnd, word];
    if (!wordStart || word.startsWith(wordStart)) return [word];
    if (bare.has(index.get(word))) return [word];
    const marked = marksStart || !UNSPACED.test(word);
    return marked ? [wordStart + word, word] : [word, wordStart + word];
  };
  return ({ kind, text, id }) => {
    if (kind === "id") {
      if (id >= tokens.length) throw new ExpressionError(`there is no token with id ${id}`);
      return id;
    }
    const normalised = text.normalize("NFKC");
    const forms = lowercase ? [text, normalised, normalised.toLowerCase()] : [text, normalised];
    for (const form of forms.flatMap(spellings))
      if (index.has(form)) return index.get(form);
    throw new ExpressionError(
      `"${text}" is not in this vocabulary; in a terminal, wordvec query --pieces uses the mean of its pieces`);
  };
}
