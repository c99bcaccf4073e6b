// SPDX-License-Identifier: Apache-2.0
// The keyboard: one table of keys, none while something is typed or a dialog is open.

const isTyping = (node) => node?.closest?.("input, textarea, select, [contenteditable]");

/** actions: {"/": act, ArrowDown: act, ...}; an act that returns false leaves the key to the browser. */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const typing = isTyping(event.target);
    if (typing && !["Escape", "ArrowDown", "Enter"].includes(event.key)) return;
    if (typing && event.target.id !== "search" && event.key !== "Escape") return;
    const act = actions[event.key];
    if (act && act(event) !== false) event.preventDefault();
  });
}
