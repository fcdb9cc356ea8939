// The panel of what is chosen: a token and its neighbours, an expression and its answer, a lasso's
// tokens. Tokens go in as text, never as HTML.

const panel = document.getElementById("details"), body = document.getElementById("details-body");
const said = document.getElementById("said");

export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function show(heading, ...parts) {
  body.replaceChildren(make("h2", { textContent: heading }), ...parts);
  panel.hidden = false;
  panel.scrollTop = 0;
  document.body.classList.add("chosen");
}

export function hide() {
  panel.hidden = true;
  document.body.classList.remove("chosen");
}

const quiet = (...text) => make("p", { className: "quiet" }, ...text);

/** Scores as the terminal prints them. */
export function shown(score) {
  const size = Math.abs(score);
  return size >= 1e6 || (size > 0 && size < 1e-3) ? score.toExponential(4) : score.toFixed(4);
}

/** One line a token: its rank, itself, its score; a button that goes there if it is on the map. */
function list(hits, { tokens, isOn, go }) {
  const lines = hits.map(({ row, score, note }) => {
    const name = make("span", { lang: "ja", textContent: tokens[row] });
    const about = isOn(row) ? note : "not on this map";
    if (about) name.append(" ", make("small", { textContent: about }));
    const line = make("button", { className: "row", disabled: !isOn(row) }, name,
      make("span", { className: "score", textContent: shown(score) }));
    line.dataset.row = row;
    line.addEventListener("click", () => go(row));
    return make("li", {}, line);
  });
  return make("ol", { className: "neighbours" }, ...lines);
}

export function showToken(row, kind, hits, facts, context) {
  const { tokens } = context;
  show(tokens[row], quiet(`id ${row} · ${kind}`), quiet(`Nearest in the space: ${facts}`), list(hits, context));
  said.textContent = `${tokens[row]}: nearest ${hits.slice(0, 3).map((hit) => tokens[hit.row]).join(", ")}`;
}

export function showExpression(source, hits, facts, notes, context) {
  show(source, quiet(facts), list(hits, context),
    quiet("The star is the query, at the mean place of its nearest tokens on this map, the nearer the weightier: sums are "
      + "of the space, and the map only shows where they lead. Each arrow is one term (dashed: minus)."),
    ...notes.map((note) => quiet(note)));
  said.textContent = `${source}: ${hits.slice(0, 3).map((hit) => context.tokens[hit.row]).join(", ")}`;
}

export function showLasso(rows, { tokens }) {
  const area = make("textarea", { readOnly: true, value: rows.map((row) => tokens[row]).join("\n") });
  area.setAttribute("aria-label", "Tokens inside the lasso, one a line");
  const button = make("button", { textContent: "Copy", id: "copy" });
  button.addEventListener("click", async () => {
    button.textContent = (await copied(area)) ? "Copied" : "Press Ctrl+C";
  });
  const count = rows.length === 1 ? "1 token" : `${rows.length} tokens`;
  show(count, quiet("inside the lasso, frequent ones first"), area, button);
  said.textContent = `${count} inside the lasso`;
}

async function copied(area) {
  try {
    await navigator.clipboard.writeText(area.value);
    return true;
  } catch { // some browsers keep the clipboard from pages on disk
    area.select();
    return document.execCommand("copy");
  }
}

document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
