// The search box: the token with the id typed (#527), exact matches, tokens that begin with the text, tokens
// that contain it. Keys that belong to an input method (such as Enter during conversion) are ignored.

import { countTokens, formatCount, text } from "map/strings";

const MAX_SHOWN = 40;

/** Ignore case and compatibility forms (full-width letters, half-width kana). */
const normalise = (text) => text.normalize("NFKC").toLowerCase();

/** The rows whose token contains what was typed, the best matches first. keys: see keysOf. */
function find(typed, keys) {
  const wanted = normalise(typed).trim();
  if (!wanted) return [];
  const exact = [], prefix = [], substring = [];
  const id = /^#\d+$/.test(wanted) ? Number(wanted.slice(1)) : null;
  if (id < keys.length && id !== null) exact.push(id);
  keys.forEach(([whole, bare], row) => {
    if (row === id) return;
    if (whole === wanted || bare === wanted) exact.push(row);
    else if (whole.startsWith(wanted) || bare.startsWith(wanted)) prefix.push(row);
    else if (whole.includes(wanted)) substring.push(row);
  });
  return [...exact, ...prefix, ...substring];
}

/** For each token: its normalised form, and that form without a subword or word-start prefix. */
const keysOf = (tokens) => tokens.map((token) => [normalise(token), normalise(token.replace(/^(##|▁)(?=.)/u, ""))]);

const countHits = (count) =>
  count > MAX_SHOWN ? text("firstHits", { count: formatCount(count), shown: MAX_SHOWN }) : countTokens(count);

/** Set up the search box. noteOf(row): text beside a token; select(row): called with the chosen row. */
export function setUpSearch(tokens, noteOf, select) {
  const input = document.getElementById("search-input"), list = document.getElementById("hits");
  const results = document.getElementById("results"), count = document.getElementById("hit-count");
  const keys = keysOf(tokens);
  let hits = [], current = 0; // rows, and which of them the arrow keys are on

  function update() {
    hits = find(input.value, keys);
    current = 0;
    list.replaceChildren(...hits.slice(0, MAX_SHOWN).map(listItem));
    count.textContent = input.value.trim() ? countHits(hits.length) : "";
    setOpen(hits.length > 0);
    results.hidden = !input.value.trim();
    highlight();
  }

  function listItem(row, i) {
    const item = document.createElement("li");
    item.id = `hit-${i}`;
    item.role = "option";
    item.append(tokens[row]);
    const note = document.createElement("small");
    note.textContent = noteOf(row);
    item.append(note);
    // keep the focus in the input: the list closes when the input loses it
    item.addEventListener("pointerdown", (event) => event.preventDefault());
    item.addEventListener("click", () => choose(i));
    return item;
  }

  function setOpen(isOpen) {
    list.hidden = results.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
  }

  function highlight() {
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === current)));
    list.children[current]?.scrollIntoView({ block: "nearest" });
    if (list.hidden) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `hit-${current}`);
  }

  function choose(i) {
    if (hits[i] === undefined) return;
    setOpen(false);
    highlight();
    if (matchMedia("(pointer: coarse)").matches) input.blur(); // closes the keyboard on the screen
    select(hits[i]);
  }

  input.addEventListener("input", (event) => event.isComposing || update());
  input.addEventListener("compositionend", update);
  input.addEventListener("focus", () => hits.length && setOpen(true));
  input.addEventListener("blur", () => setOpen(false));
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return; // 229: how Safari reports composing
    const shown = Math.min(hits.length, MAX_SHOWN);
    if (event.key === "Enter") choose(current);
    else if (event.key === "Escape" && !list.hidden) setOpen(false);
    else if (event.key === "Escape") input.blur();
    else if (shown && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      setOpen(true);
      current = (current + (event.key === "ArrowDown" ? 1 : shown - 1)) % shown;
      highlight();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
