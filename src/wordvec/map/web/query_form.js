// The input for expressions: an error is shown below it as the command line shows it, with the place marked.

import { createElement } from "map/details_panel";
import { ExpressionError } from "map/expression_parser";
import { text } from "map/strings";

const form = document.getElementById("query-form"), input = document.getElementById("query-input");
const output = document.getElementById("query-error");

/**
 * Show the form and return a function that submits an expression.
 *
 * answer(source) may throw an ExpressionError; clear() is called when it does.
 */
export function setUpQueryForm(answer, clear) {
  form.hidden = false;
  const submit = (source) => {
    input.value = source;
    output.replaceChildren();
    try {
      answer(source);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      clear();
      output.replaceChildren(...describe(error));
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(input.value);
  });
  return submit;
}

function describe({ text: message, hint, source, start, end }) {
  const chars = [...source];
  const mark = createElement("mark", { textContent: chars.slice(start, end).join("") });
  const lines = [
    createElement("p", { className: "message", textContent: text(...message) }),
    createElement("p", { className: "source", lang: "ja" }, chars.slice(0, start).join(""), mark, chars.slice(end).join("")),
  ];
  if (hint) lines.push(createElement("p", { className: "hint", textContent: text("hint", { hint: text(...hint) }) }));
  return lines;
}
