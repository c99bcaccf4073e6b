// SPDX-License-Identifier: Apache-2.0
// As much of a message's tree at a time as a screen can take. It is cut between blocks, or inside one that is too long
// alone, whose rest is a block of the same kind: code stays code. Pure.

/** A cut near `limit`, at a line's end where there is one, never inside a character. */
export function cutAt(text, limit) {
  if (text.length <= limit) return text.length;
  const line = text.lastIndexOf("\n", limit - 1);
  if (line > limit / 2) return line + 1;
  const low = text.charCodeAt(limit);
  return low >= 0xdc00 && low <= 0xdfff ? limit - 1 : limit;
}

const partsOf = (node) => node.children ?? node.items ?? node.rows ?? node;
const isLeaf = (node) => !Array.isArray(partsOf(node));

/** What is read of a node: its text. */
export function textOf(node) {
  if (isLeaf(node)) return node.text ?? (node.type === "break" ? "\n" : "");
  const parts = node.rows ? [node.head, ...node.rows] : partsOf(node);
  return parts.map(textOf).join("");
}

const inline = new Set(["paragraph", "heading", "em", "strong", "del", "u"]);

/** The text of a tree as a search reads it, no shorter than lengthOf says: what a mark parts is parted softly. */
export function searchText(node) {
  if (Array.isArray(node)) return node.map(searchText).join("\n");
  if (node.rows) return [node.head, ...node.rows].map(searchText).join("\n");
  if (node.items) return searchText(node.items);
  if (!node.children) return node.text ?? "\n";
  return node.type === "link" ? `\n${searchText(node.children)}\n` : node.children.map(searchText).join(inline.has(node.type) ? "\u2063" : "\n");
}

export function lengthOf(node) {
  if (isLeaf(node)) return node.text?.length ?? 1;
  const parts = node.rows ? [node.head, ...node.rows] : partsOf(node);
  return parts.reduce((sum, part) => sum + lengthOf(part), 0);
}

function withParts(node, parts, isRest = false) {
  if (Array.isArray(node)) return parts;
  if (node.children) return { ...node, children: parts, ...(isRest && "marker" in node ? { marker: "" } : {}) };
  return node.items ? { ...node, items: parts } : { ...node, rows: parts };
}

/** [what comes first, about `limit` characters of it; the rest or none] */
export function split(node, limit) {
  if (isLeaf(node)) {
    const at = cutAt(node.text ?? "", Math.max(2, limit));
    return at < (node.text?.length ?? 0) ? [{ ...node, text: node.text.slice(0, at) }, { ...node, text: node.text.slice(at), ...(node.info ? { info: "" } : {}) }] : [node, null];
  }
  const parts = partsOf(node);
  let left = limit;
  for (let i = 0; i < parts.length; ++i) {
    const length = lengthOf(parts[i]);
    if (length <= left) {
      left -= length;
      continue;
    }
    const isEnough = i > 0 && left < limit / 2;
    const [first, rest] = isEnough ? [null, parts[i]] : node.rows ? [parts[i], null] : split(parts[i], left);
    const before = [...parts.slice(0, i), first].filter((part) => part !== null);
    const after = [rest, ...parts.slice(i + 1)].filter((part) => part !== null);
    return [withParts(node, before), after.length > 0 ? withParts(node, after, true) : null];
  }
  return [node, null];
}

/** Takes a message apart: blocks come as {block, left}, `left` what of the message lies behind. */
export class Pieces {
  constructor(blocks) {
    this.blocks = blocks[Symbol.iterator]();
    this.rest = null; // of a block that was cut
    this.left = 0; // characters that are still to come, about
  }

  /** The next blocks, of about `limit` characters together; none when all were taken. */
  take(limit) {
    const taken = [];
    for (let room = limit; room > 0; ) {
      const block = this.rest ?? this.#next();
      this.rest = null;
      if (!block) break;
      const [first, rest] = room < limit / 2 && lengthOf(block) > limit ? [null, block] : split(block, room);
      if (first !== null) taken.push(first);
      room -= first === null ? room : Math.max(1, lengthOf(first));
      if (rest !== null) this.rest = rest;
      if (rest !== null) break;
    }
    this.rest ??= this.#next();
    return taken;
  }

  #next() {
    const { value, done } = this.blocks.next();
    if (done) return null;
    this.left = value.left;
    return value.block;
  }

  /** How many characters have not been taken. */
  get missing() {
    return this.rest === null ? 0 : lengthOf(this.rest) + this.left;
  }
}
