// SPDX-License-Identifier: Apache-2.0
// The snippet of a hit: escaped text with <mark>, taken apart into pieces of plain text. Nothing of it is ever given to the
// browser as markup. Pure.
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
