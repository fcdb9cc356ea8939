// Expressions on the page, with the grammar, the word lookup and the errors of `wordvec query`.
//
//   expression = side ":" side ("=" | "::") side ":?"  |  sum
//   sum        = { sign } product { sign { sign } product }
//   product    = { number ("*" | "/") } vector { "*" number | "/" number }
//   vector     = word | "#" digits | "(" sum ")"

const FULL_WIDTH = { "＋": "+", "－": "-", "−": "-", "＊": "*", "×": "*", "／": "/", "÷": "/", "（": "(", "）": ")", "：": ":", "＝": "=" };
const QUOTES = '"”“＂';
const BRACKETS = { "「": "」", "『": "』" };
const BRACES = "{｛"; // around the sentence of a word, which only the model can read; elsewhere a letter
// An exponent with a sign belongs to its number only beside a * or /.
const SIGNED_NUMBER = /^(?:[0-9０-９]+(?:[.．][0-9０-９]*)?|[.．][0-9０-９]+)[eEｅＥ][-+－−＋][0-9０-９]+/u;

/**
 * An error at a place in an expression.
 *
 * message, hint: [key, values] of texts in strings.js; hint may be null. start, end: in characters of `source`.
 */
export class ExpressionError extends Error {
  constructor(message, source, { start, end }, hint = null) {
    super(message[0]);
    Object.assign(this, { text: message, hint, source, start, end: Math.max(end, start + 1) });
  }
}

const LONGEST_ID = 12; // digits
const DEEPEST = 50; // levels of parentheses
const QUOTE_HINT = ["quoteHint"], ANALOGY_HINT = ["analogyHint"];

/** A word as it is typed: in quotes where it needs them. */
const spell = (word) =>
  word && !/^[#＃][0-9０-９]/u.test(word) && ![...word].some(endsPlain) ? word : `"${word.replace(/["”“＂\\]/gu, "\\$&")}"`;

const operatorOf = (char) => FULL_WIDTH[char] ?? ("+-*/():=".includes(char) ? char : null);
const endsPlain = (char) => operatorOf(char) || QUOTES.includes(char) || char in BRACKETS || BRACES.includes(char) || char === "\\" || /\s/u.test(char);

/** Tokens: { kind, text, start, end }, the last of kind "end". */
function tokenize(source) {
  const chars = [...source], tokens = [], operator = operatorOf;
  const fail = (message, start, end, hint) => { throw new ExpressionError(message, source, { start, end }, hint); };
  const signedNumber = (i) => {
    const digits = SIGNED_NUMBER.exec(chars.slice(i).join(""))?.[0];
    const after = digits && chars.slice(i + digits.length);
    const scales = (kind) => kind === "*" || kind === "/";
    if (!digits || scales(operator(after.find((char) => !/\s/u.test(char))))) return digits;
    return scales(tokens.at(-1)?.kind) && (!after.length || endsPlain(after[0])) ? digits : null;
  };
  for (let i = 0; i < chars.length; ) {
    const start = i;
    const add = (token) => tokens.push({ ...token, start, end: i });
    const coefficient = /[0-9０-９.．]/u.test(chars[i]) ? signedNumber(i) : null;
    if (/\s/u.test(chars[i])) i++;
    else if (BRACES.includes(chars[i]) && ["word", "id", ")"].includes(tokens.at(-1)?.kind))
      fail(["noSentences"], tokens.at(-1).start, tokens.at(-1).end, ["noSentencesHint"]);
    else if (coefficient) {
      i += coefficient.length;
      add({ kind: "word", text: coefficient, quoted: false });
    } else if (QUOTES.includes(chars[i]) || chars[i] in BRACKETS) {
      const opening = chars[i], closing = BRACKETS[opening] ?? QUOTES;
      let text = "";
      for (i++; i < chars.length && !closing.includes(chars[i]); i++) text += chars[i] === "\\" ? chars[++i] ?? "" : chars[i];
      if (i++ >= chars.length) fail(["unclosedQuote"], start, start + 1, opening in BRACKETS ? ["bracketHint", { bracket: opening }] : null);
      add({ kind: "word", text, quoted: true });
    } else if (operator(chars[i])) {
      const kind = operator(chars[i++]), isDouble = kind === ":" && operator(chars[i]) === ":";
      if (isDouble) i++;
      add({ kind: isDouble ? "::" : kind });
    } else {
      let text = "", quoted = false;
      while (BRACES.includes(chars[i])) text += chars[i++];
      for (; i < chars.length && (chars[i] === "\\" || !endsPlain(chars[i])); i++)
        if (chars[i] === "\\") {
          if (i + 1 === chars.length) fail(["loneEscape"], i, i + 1);
          text += chars[++i];
          quoted = true;
        } else text += chars[i];
      const isId = !quoted && /^[#＃][0-9０-９]/u.test(text);
      if (isId && !/^[#＃][0-9０-９]+$/u.test(text)) fail(["badId"], start, i, ["idHint", { word: spell(text) }]);
      const digits = text.slice(1).normalize("NFKC").replace(/^0+(?=.)/, "");
      if (isId && digits.length > LONGEST_ID) fail(["largeId"], start, i);
      add(isId ? { kind: "id", text: `#${digits}`, id: Number(digits) } : { kind: "word", text, quoted });
    }
  }
  return [...tokens, { kind: "end", text: "", start: chars.length, end: chars.length }];
}

/** The value of a token that is a number, or null. */
function numberOf({ kind, text, quoted }) {
  const digits = kind === "word" && !quoted ? text.normalize("NFKC").replace("−", "-") : "";
  return /^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(digits) ? Number(digits) : null;
}

/** Parse an expression into [{ operand, weight }], in the order written, each operand once. */
export function parse(source) {
  const tokens = tokenize(source), opened = [];
  let at = 0;
  const sees = (...kinds) => kinds.includes(tokens[at].kind);
  const fail = (place, message, hint, values) => { throw new ExpressionError([message, values], source, place, hint); };
  const expect = (message, ...kinds) =>
    sees(...kinds) ? tokens[at++] : sees("+", "-", "*", "/") ? failOnBareSide() : fail(tokens[at], message, ANALOGY_HINT);
  const failOnBareSide = () => fail(tokens[at], "bareSide", ["sideHint"]);

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
    const factors = [factor("*")];
    while (sees("*", "/")) {
      const operator = tokens[at++].kind;
      sign *= signs();
      factors.push(factor(operator));
    }
    const vectorIndex = findVector(factors);
    const weight = factors.reduce((product, each, i) => i === vectorIndex ? product : scale(product, each), sign);
    return factors[vectorIndex].terms.map((term) => ({ ...term, weight: term.weight * weight }));
  }

  function factor(operator) {
    const { start } = tokens[at], found = vector();
    return { operator, start, end: tokens[at - 1].end, ...found };
  }

  function scale(product, each) {
    if (!Number.isFinite(each.number)) fail(each, "overflow");
    if (each.operator === "/" && each.number === 0) fail(each, "divisionByZero");
    return each.operator === "*" ? product * each.number : product / each.number;
  }

  /** The index of the factor that is not a coefficient: see the rules for numbers in parser.py. */
  function findVector(factors) {
    const words = [...factors.keys()].filter((i) => factors[i].number === null);
    const divisor = words.find((i) => factors[i].operator === "/");
    if (divisor !== undefined) fail(factors[divisor], "afterSlash", ["coefficientHint"]);
    if (words.length > 1) fail(factors[words[1]], "twoFactors", ["coefficientHint"]);
    if (words.length) return words[0];
    if (factors.length > 1 && factors[1].operator === "/") return 0;
    return Math.max(...[...factors.keys()].filter((i) => factors[i].operator === "*"));
  }

  function vector() {
    if (sees("(")) return { terms: group(), number: null };
    if (!sees("word", "id")) failOnMissingWord();
    const token = tokens[at++];
    return { terms: [{ operand: token, weight: 1 }], number: numberOf(token) };
  }

  function group() {
    if (opened.length === DEEPEST) fail(tokens[at], "deep");
    opened.push(tokens[at++]);
    const terms = sum();
    if (!sees(")")) failAfterSum();
    at++;
    opened.pop();
    return terms;
  }

  function failOnMissingWord() {
    const token = tokens[at], last = tokens[at - 1];
    if (token.kind === ")" && last?.kind === "(") fail({ start: last.start, end: token.end }, "emptyParentheses");
    if (token.kind === ")" && !opened.length) fail(token, "unopened", QUOTE_HINT);
    if (token.kind === "end" && last?.kind === "(") fail(last, "unclosed", QUOTE_HINT);
    if (last && ["end", ")"].includes(token.kind)) fail(last, "missingAfter", QUOTE_HINT, { kind: last.kind });
    fail(token, "missingBefore", QUOTE_HINT, { kind: token.kind });
  }

  function failAfterSum() {
    const token = tokens[at];
    if (token.kind === "end") fail(opened.at(-1), "unclosed", QUOTE_HINT);
    if (token.kind === ")") fail(token, "unopened", QUOTE_HINT);
    if ([":", "::", "="].includes(token.kind)) fail(token, "innerAnalogy", ANALOGY_HINT);
    fail(token, token.kind === "(" ? "missingOperator" : "missingSign", timesHint(token));
  }

  /** What two adjacent words may mean: a coefficient, or one word with a space. */
  function timesHint(token) {
    const last = tokens[at - 1];
    if (numberOf(last) === null) return ["spaceHint"];
    return ["timesHint", { number: last.text, following: token.kind === "(" ? "(…)" : spell(token.text) }];
  }

  function side() {
    if (sees("+", "-")) failOnBareSide();
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
    expect("expectedColon", ":");
    const b = side();
    expect("expectedEquals", "=", "::");
    const c = side();
    expect("expectedBlank", ":");
    const blank = tokens[at];
    if (!["?", "？"].includes(blank.text) || blank.quoted) fail(blank, "expectedQuestion", ANALOGY_HINT);
    at++;
    if (!sees("end")) fail(tokens[at], "afterAnalogy", ANALOGY_HINT);
    return [...c, ...a.map((term) => ({ ...term, weight: -term.weight })), ...b];
  }

  if (sees("end")) fail({ start: 0, end: tokens[at].end }, "emptyQuery", ["emptyHint"]);
  if (isAnalogy()) return mergeTerms(analogy());
  const terms = sum();
  if (!sees("end")) failAfterSum();
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
 * A function (operand, source) that finds the row of an operand as `wordvec query` does: the word as typed, after
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
  return ({ kind, text, id, start, end }, source) => {
    const fail = (message, hint) => { throw new ExpressionError(message, source, { start, end }, hint); };
    if (kind === "id") return id < tokens.length ? id : fail(["noId", { id }]);
    const normalised = text.normalize("NFKC");
    const forms = lowercase ? [text, normalised, normalised.toLowerCase()] : [text, normalised];
    for (const form of forms.flatMap(spellings))
      if (index.has(form)) return index.get(form);
    return fail(["unknownWord", { word: `"${text}"` }], ["piecesHint"]);
  };
}
