// Search as one types: exact, then by beginning, then by part. An input method composes undisturbed:
// nothing is chosen or closed by a key that belongs to it.

const MOST = 40;

/** How tokens and what is typed are compared: compatibility forms and cases are one. */
export const fold = (word) => word.normalize("NFKC").toLowerCase();

/** Rows whose token holds `word`: the same, then those that begin so, then the others. */
export function find(word, keys) {
  const wanted = fold(word).trim();
  if (!wanted) return [];
  const same = [], begin = [], hold = [];
  keys.forEach(([whole, bare], row) => {
    if (whole === wanted || bare === wanted) same.push(row);
    else if (whole.startsWith(wanted) || bare.startsWith(wanted)) begin.push(row);
    else if (whole.includes(wanted)) hold.push(row);
  });
  return [...same, ...begin, ...hold];
}

/** Keys of tokens for `find`: as shown, and without the mark of a piece or of a word's start. */
export const keysOf = (tokens) => tokens.map((token) => [fold(token), fold(token.replace(/^(##|▁)(?=.)/u, ""))]);

export function searchBox(tokens, note, choose) {
  const input = document.getElementById("word"), list = document.getElementById("hits");
  const count = document.getElementById("hit-count");
  const keys = keysOf(tokens);
  let hits = [], at = 0;

  function update() {
    hits = find(input.value, keys);
    at = 0;
    list.replaceChildren(...hits.slice(0, MOST).map(item));
    open(hits.length > 0);
    count.textContent = !input.value.trim() ? "" : hits.length > MOST
      ? `${hits.length} tokens; the first ${MOST}` : hits.length === 1 ? "1 token" : `${hits.length} tokens`;
    mark();
  }

  function item(row, place) {
    const line = document.createElement("li");
    line.id = `hit-${place}`;
    line.role = "option";
    line.append(tokens[row]);
    const small = document.createElement("small");
    small.textContent = note(row);
    line.append(small);
    // before the box loses the focus, and with it the list
    line.addEventListener("pointerdown", (event) => event.preventDefault());
    line.addEventListener("click", () => take(place));
    return line;
  }

  function open(is) {
    list.hidden = !is;
    input.setAttribute("aria-expanded", String(is));
  }

  function mark() {
    [...list.children].forEach((line, place) => line.setAttribute("aria-selected", String(place === at)));
    list.children[at]?.scrollIntoView({ block: "nearest" });
    if (list.hidden) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `hit-${at}`);
  }

  function take(place) {
    if (hits[place] === undefined) return;
    open(false);
    mark();
    if (matchMedia("(pointer: coarse)").matches) input.blur(); // and its keyboard leaves the screen
    choose(hits[place]);
  }

  input.addEventListener("input", (event) => event.isComposing || update());
  input.addEventListener("compositionend", update);
  input.addEventListener("focus", () => hits.length && open(true));
  input.addEventListener("blur", () => open(false));
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return; // 229: Safari's word for the same
    const shown = Math.min(hits.length, MOST);
    if (event.key === "Enter") take(at);
    else if (event.key === "Escape" && !list.hidden) open(false);
    else if (event.key === "Escape") input.blur();
    else if (shown && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      open(true);
      at = (at + (event.key === "ArrowDown" ? 1 : shown - 1)) % shown;
      mark();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
