// SPDX-License-Identifier: Apache-2.0
// A message of a chat: Draft.js, Markdown or plain text, and as much of it at a time as a screen can take. Pure but for
// the elements it makes.
import { el } from "./dom.js";
import { readDraft } from "./draft.js";
import { t } from "./i18n.js";
import { readMarkdown } from "./markdown.js";
import { renderMessage } from "./render.js";

const first = 4000; // characters that are shown at once
const step = 20000; // and with each "more"

/** A cut near `limit`, at a line's end where there is one, never inside a character. */
export function cutAt(text, limit) {
  if (text.length <= limit) return text.length;
  const line = text.lastIndexOf("\n", limit);
  if (line > limit / 2) return line + 1;
  const low = text.charCodeAt(limit);
  return low >= 0xdc00 && low <= 0xdfff ? limit - 1 : limit;
}

function textOf(node) {
  return node.text ?? (node.children ?? node.items?.flat() ?? []).map(textOf).join("");
}

/** A message as one line, for lists. */
export function oneLine(message, limit = 160) {
  const start = String(message ?? "").slice(0, 20000);
  const draft = readDraft(String(message ?? "").length <= 20000 ? start : "");
  const line = (draft ? draft.map(textOf).join(" ") : start.slice(0, 2 * limit)).replace(/\s+/g, " ").trim();
  return line.slice(0, cutAt(line, limit));
}

function piece(text) {
  return renderMessage(readMarkdown(text), text);
}

/** `wanted`: show at least up to this place of the text. */
export function messageNode(message, wanted = 0) {
  let text = String(message ?? "");
  const draft = readDraft(text);
  if (draft) text = draft.map(textOf).join("\n\n");
  if (draft && text.length <= step) return el("div", {}, renderMessage(draft, text));
  let shown = cutAt(text, Math.max(first, wanted + 500));
  const node = el("div", {}, piece(text.slice(0, shown)));
  if (shown < text.length) node.append(moreButton());
  return node;

  function moreButton() {
    const button = el("button", { type: "button", class: "quiet more", onclick: more }, t("showMore", { count: text.length - shown }));
    return button;

    function more() {
      const end = shown + cutAt(text.slice(shown), step);
      const added = piece(text.slice(shown, end));
      button.replaceWith(added);
      shown = end;
      if (shown < text.length) node.append(moreButton());
      added.tabIndex = -1;
      added.focus({ preventScroll: true });
    }
  }
}
