// SPDX-License-Identifier: Apache-2.0
// The snippet of a hit: escaped text with <mark>, taken apart into pieces of plain text; and the words of a query, to be
// marked in a message. Nothing of it is ever given to the browser as markup. Pure but for `markAll`.
import { el } from "./dom.js";

const entities = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

function unescaped(text) {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => entities[entity]);
}

/** [{text, marked}] */
export function snippetPieces(html) {
  const pieces = [];
  for (const [index, part] of String(html ?? "").split(/<mark>|<\/mark>/).entries())
    if (part) pieces.push({ text: unescaped(part), marked: index % 2 === 1 });
  return pieces;
}

export function snippetNodes(html) {
  return snippetPieces(html).map(({ text, marked }) => (marked ? el("mark", {}, text) : text));
}

/** A pattern for any of the words; none for no words. */
export function patternOf(words) {
  const known = words.filter((word) => word.trim()).map((word) => word.normalize("NFC").replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return known.length > 0 ? new RegExp(known.sort((a, b) => b.length - a.length).join("|"), "giu") : null;
}

/** Puts <mark> around what the pattern finds in the text nodes of `root`. */
export function markAll(root, pattern) {
  if (!pattern) return;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const node of texts) {
    const pieces = node.data.split(pattern);
    if (pieces.length === 1) continue;
    const found = node.data.match(pattern);
    node.replaceWith(...pieces.flatMap((piece, i) => (i < found.length ? [piece, el("mark", {}, found[i])] : [piece])));
  }
}
