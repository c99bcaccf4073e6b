// SPDX-License-Identifier: Apache-2.0
// The keyboard: one table of keys, none while something is typed or a dialog is open. Keys of letters are known by their
// place where the layout is not Latin.

const isTyping = (node) => node?.closest?.("input, textarea, select, [contenteditable]");

/** An input method is at work with this key. Safari ends a composition before it tells of the key that did. */
export const isComposed = (event) => event.isComposing || event.keyCode === 229;

/** The name of a key as a Latin keyboard has it, with Caps Lock or without. */
export function nameOfKey({ key, code, shiftKey }) {
  if (/^[a-z]$/i.test(key)) return shiftKey ? key : key.toLowerCase();
  const isNoName = key === "Process" || key === "Unidentified" || key === "Dead";
  if (!isNoName && (key.length !== 1 || key <= "\x7f")) return key;
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) return shiftKey ? letter : letter.toLowerCase();
  return code === "Slash" ? (shiftKey ? "?" : "/") : key;
}

/** actions: {"/": act, ArrowDown: act, ...}; an act that returns false leaves the key to the browser. */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const typing = isTyping(event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || (typing && isComposed(event))) return;
    if (typing && !["Escape", "ArrowDown", "Enter"].includes(event.key)) return;
    if (typing && event.target.id !== "search" && event.key !== "Escape") return;
    const act = actions[nameOfKey(event)];
    if (act && act(event) !== false) event.preventDefault();
  });
}
