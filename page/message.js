// SPDX-License-Identifier: Apache-2.0
// A message of a chat: Draft.js, Markdown or plain text, and as much of it at a time as a screen can take. Pure but for
// the elements it makes.
import { el, patch } from "./dom.js";
import { readDraft } from "./draft.js";
import { t } from "./i18n.js";
import { readMarkdown, streamMarkdown } from "./markdown.js";
import { cutAt, lengthOf, Pieces, textOf } from "./pieces.js";
import { renderBlocks } from "./render.js";
import { speech } from "./text.js";

const first = 4000; // characters that are shown at once
const step = 20000; // and with each "more"

/** A message as one line, for lists. */
export function oneLine(message, limit = 160) {
  const start = String(message ?? "").slice(0, 20000);
  const draft = readDraft(String(message ?? "").length <= 20000 ? start : "");
  const line = (draft ?? readMarkdown(start.slice(0, 2 * limit))).map(textOf).join(" ").replace(/\s+/g, " ").trim();
  return line.slice(0, cutAt(line, limit));
}

/** A message as it was written, Draft.js as its lines. */
export function textOfMessage(message) {
  const text = String(message ?? "");
  return readDraft(text)?.map(textOf).join("\n") ?? text;
}

/** The tree of a message, all of it. */
export const readMessage = (message) => readDraft(String(message ?? "")) ?? readMarkdown(String(message ?? ""));

function* streamDraft(blocks) {
  let left = blocks.reduce((sum, block) => sum + lengthOf(block), 0);
  for (const block of blocks) yield { block, left: (left -= lengthOf(block)) };
}

function piecesOf(text) {
  const draft = readDraft(text);
  return { pieces: new Pieces(draft ? streamDraft(draft) : streamMarkdown(text)), sample: draft ? draft.slice(0, 20).map(textOf).join("\n") : text };
}

/** A message of which at least `reach` characters are shown. onmore(elements) is called with what a reader unfolds.
    {node, update(message)}: blocks that are the same stay, and no less is shown than before. */
export function messageView(message, { reach = 0, onmore = () => {} } = {}) {
  const node = el("div", {});
  let holder, pieces;
  let shown = 0;
  let blocks = []; // as text, to tell whether they are the same
  start(message, reach);
  return { node, update };

  function start(text, limit) {
    const read = piecesOf(String(text ?? ""));
    pieces = read.pieces;
    holder = el("div", { class: "message", ...speech(read.sample) });
    node.replaceChildren(holder);
    blocks = [];
    shown = 0;
    add(Math.max(first, limit));
  }

  function add(limit) {
    const taken = pieces.take(limit);
    const elements = renderBlocks(taken);
    shown += lengthOf(taken);
    blocks.push(...taken.map((block) => JSON.stringify(block)));
    holder.append(...elements);
    if (pieces.missing > 0) node.append(moreButton());
    return elements;
  }

  function update(fresh) {
    const read = piecesOf(String(fresh ?? ""));
    const taken = read.pieces.take(Math.max(first, shown));
    const texts = taken.map((block) => JSON.stringify(block));
    const elements = renderBlocks(taken);
    const changed = [];
    pieces = read.pieces;
    shown = Math.max(shown, lengthOf(taken));
    for (const old of [...holder.children].slice(texts.length)) old.remove();
    elements.forEach((element, i) => {
      if (texts[i] === blocks[i]) return;
      const old = holder.children[i];
      if (!old) holder.append(element);
      else patch(old, element);
      changed.push(holder.children[i]);
    });
    blocks = texts;
    node.querySelector(":scope > .more")?.remove();
    if (pieces.missing > 0) node.append(moreButton());
    return changed;
  }

  function moreButton() {
    return el("button", { type: "button", class: "quiet more", onclick: more }, t("showMore", { count: pieces.missing }));
  }

  function more({ target }) {
    target.remove();
    const added = add(step);
    if (added.length === 0) return;
    added[0].tabIndex = -1;
    added[0].focus({ preventScroll: true });
    onmore(added);
  }
}
