// Keyboard shortcuts: they work unless the focused element uses the key itself.

const OWN_KEYS = /^(Arrow.*|Home|End|Page.*)$/; // of a slider

/** Whether the focused element uses a key: an input for text uses all but Escape, a slider its arrows. */
function usesKey({ tagName, type }, key) {
  if (tagName === "INPUT" && type === "range") return OWN_KEYS.test(key);
  if (tagName === "INPUT" && type === "checkbox") return false;
  return /^(INPUT|TEXTAREA|SELECT)$/.test(tagName) && key !== "Escape";
}

/** keys: { key: action() }. isPaused(): whether a dialog has the keyboard. */
export function listenToKeys(keys, isPaused) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || isPaused()) return;
    if (usesKey(event.target, event.key)) return;
    const action = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (action?.(event) === false || !action) return;
    event.preventDefault();
  });
}
