// SPDX-License-Identifier: Apache-2.0
// Marks where the words of a query stand in what is shown. Where they stand is asked of the mirror, which knows by the rules
// of its index: what is marked is what was found.
import { highlight } from "./api.js";
import { el } from "./dom.js";
import { hasWords } from "./query.js";

const longest = 100_000; // characters that are asked about at once
const softBreak = "\u2063"; // between letters that a mark parts and that are read together
const parting = "p, li, h3, h4, h5, h6, pre, td, th, blockquote, a, .message, .source-title, .source-text, .marker";

/** {text, places: [{node, at}]}: what is read in an element, and where each of its text nodes begins. */
function textOf(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  const places = [];
  let text = "";
  let last = null;
  let broken = true;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.nodeType !== Node.TEXT_NODE) {
      broken ||= node.nodeName === "BR";
      continue;
    }
    if (!node.data || node.parentElement.closest("button, summary")) continue;
    const holder = node.parentElement.closest(parting);
    text += broken || holder !== last ? "\n" : softBreak;
    places.push({ node, at: text.length });
    text += node.data;
    [last, broken] = [holder, false];
  }
  return { text, places };
}

/** Pieces of a text that can be asked about, cut at blanks where there are any: [{from, text}] */
export function piecesOf(text) {
  const pieces = [];
  for (let from = 0; from < text.length; ) {
    const most = Math.min(text.length, from + longest);
    const blank = most === text.length ? most : Math.max(text.lastIndexOf(" ", most), text.lastIndexOf("\n", most));
    const to = blank > from + longest / 2 ? blank : most;
    pieces.push({ from, text: text.slice(from, to) });
    from = to;
  }
  return pieces;
}

function markIn({ node, at }, ranges) {
  const inside = ranges.map(([from, to]) => [Math.max(0, from - at), Math.min(node.length, to - at)]).filter(([from, to]) => from < to);
  if (inside.length === 0) return;
  const parts = [];
  let done = 0;
  for (const [from, to] of inside) {
    parts.push(node.data.slice(done, from), el("mark", {}, node.data.slice(from, to)));
    done = to;
  }
  node.replaceWith(...parts.filter((part) => part !== ""), ...(done < node.length ? [node.data.slice(done)] : []));
}

// Both are in order, so that each pair is looked at once.
function markAll(places, ranges) {
  let first = 0;
  for (const place of places) {
    while (first < ranges.length && ranges[first][1] <= place.at) ++first;
    let last = first;
    while (last < ranges.length && ranges[last][0] < place.at + place.node.length) ++last;
    if (last > first) markIn(place, ranges.slice(first, last));
  }
}

export class Highlighter {
  #waiting = [];

  constructor(q, signal) {
    this.q = q;
    this.signal = signal;
    this.wanted = hasWords(q ?? "");
  }

  /** Marks an element that was made just now; then(element) is called when that is done. */
  add(element, then = () => {}) {
    if (!this.wanted) return;
    this.#waiting.push({ element, then });
    if (this.#waiting.length === 1) queueMicrotask(() => this.#ask());
  }

  async #ask() {
    const all = this.#waiting.map((one) => ({ ...one, ...textOf(one.element) }));
    this.#waiting = [];
    const pieces = all.flatMap((one) => piecesOf(one.text).map((piece) => ({ ...piece, ranges: (one.ranges ??= []) })));
    try {
      while (pieces.length > 0) await this.#askSome(pieces);
    } catch {
      return; // the text stands without marks
    }
    for (const { element, places, ranges, then } of all) {
      markAll(places.filter(({ node }) => element.contains(node)), ranges ?? []);
      then(element);
    }
  }

  async #askSome(pieces) {
    let size = 0;
    let count = 0;
    while (count < pieces.length && (count === 0 || size + pieces[count].text.length <= longest)) size += pieces[count++].text.length;
    const some = pieces.splice(0, count);
    const found = await highlight(this.q, some.map(({ text }) => text), this.signal);
    some.forEach(({ from, ranges }, i) => ranges.push(...found[i].map(([begin, end]) => [begin + from, end + from])));
  }

  /** Where in a text the first of the words ends; none where there is none. */
  async first(text) {
    if (!this.wanted) return null;
    for (const piece of piecesOf(text)) {
      const [[found]] = await highlight(this.q, [piece.text], this.signal);
      if (found) return piece.from + found[1];
    }
    return null;
  }
}
