// SPDX-License-Identifier: Apache-2.0
// The inside of a Markdown paragraph, read into a tree: emphasis, code, links, bare addresses, line breaks. One walk over
// the text, with what would need a look ahead worked out before (marks.js), so that no message costs more than its length.
// What is nothing of these is text. Pure.
import { addressAt } from "./address.js";
import { entityAt } from "./entities.js";
import { pairMarks } from "./marks.js";

const punctuation = /[!-/:-@[-`{-~]/;
const longest = 2000; // of an address, in characters

/** Where each "[" finds its "]". */
function matchBrackets(text) {
  const pairs = new Map();
  const open = [];
  for (let i = 0; i < text.length; ++i) {
    if (text[i] === "\\") ++i;
    else if (text[i] === "[") open.push(i);
    else if (text[i] === "]" && open.length > 0) pairs.set(open.pop(), i);
  }
  return pairs;
}

class Reader {
  constructor(text, inLink) {
    this.text = text;
    this.inLink = inLink;
    this.at = 0;
    this.nodes = [];
    this.open = []; // emphasis begun: {sign, at, index into nodes}
    this.brackets = inLink ? new Map() : matchBrackets(text);
    this.marks = pairMarks(text);
  }

  say(text) {
    const last = this.nodes.at(-1);
    if (last?.type === "text" && !last.marker) last.text += text;
    else this.nodes.push({ type: "text", text });
  }

  /** Takes what `steps` know at this place, else one character. */
  run() {
    while (this.at < this.text.length) {
      const step = steps[this.text[this.at]];
      if (step?.call(this)) continue;
      const plain = plainRun(this.text, this.at);
      this.say(this.text.slice(this.at, plain));
      this.at = plain;
    }
    for (const node of this.nodes) delete node.marker; // never closed: it is text
    return this.nodes;
  }

  escape() {
    const next = this.text[this.at + 1];
    if (next === "\n") this.nodes.push({ type: "break" });
    else if (next && punctuation.test(next)) this.say(next);
    else return false;
    this.at += 2;
    return true;
  }

  code() {
    let end = this.at;
    while (this.text[end] === "`") ++end;
    const mark = this.marks.get(this.at);
    if (mark?.opens && mark.sign.length === end - this.at) {
      this.nodes.push({ type: "code", text: withoutPadding(this.text.slice(end, mark.partner)) });
      this.at = mark.partner + mark.sign.length;
    } else {
      this.say(this.text.slice(this.at, end));
      this.at = end;
    }
    return true;
  }

  link() {
    const close = this.brackets.get(this.at);
    if (close === undefined || this.text[close + 1] !== "(") return false;
    const target = readTarget(this.text, close + 2);
    if (!target) return false;
    const label = this.text.slice(this.at + 1, close);
    this.nodes.push({ type: "link", href: target.href, children: readInline(label || target.href, true) });
    this.at = target.end;
    return true;
  }

  /** An image is a link to it: nothing is loaded from another host. */
  image() {
    if (this.text[this.at + 1] !== "[") return false;
    ++this.at;
    if (this.link()) return true;
    --this.at;
    return false;
  }

  angle() {
    const end = this.text.slice(this.at, this.at + longest).indexOf(">");
    const inside = this.text.slice(this.at + 1, this.at + end);
    if (/^br\s*\/?$/i.test(inside)) this.nodes.push({ type: "break" });
    else if (!this.inLink && end > 0 && /^(https?:\/\/|mailto:)\S+$/i.test(inside))
      this.nodes.push({ type: "link", href: inside, children: [{ type: "text", text: inside }] });
    else return false;
    this.at += end + 1;
    return true;
  }

  bare() {
    if (this.inLink || /[A-Za-z0-9]/.test(this.text[this.at - 1] ?? "")) return false;
    const href = addressAt(this.text, this.at);
    if (!href) return false;
    this.nodes.push({ type: "link", href, children: [{ type: "text", text: href }] });
    this.at += href.length;
    return true;
  }

  entity() {
    const found = entityAt(this.text, this.at);
    if (!found) return false;
    this.say(found.text);
    this.at += found.length;
    return true;
  }

  newline() {
    this.nodes.push({ type: "break" });
    ++this.at;
    while (this.text[this.at] === " ") ++this.at;
    return true;
  }

  emphasis() {
    const mark = this.marks.get(this.at);
    if (mark) {
      if (mark.opens) this.begin(mark.sign, mark.partner);
      else this.end(mark.sign, this.at);
      this.at += mark.sign.length;
      return true;
    }
    const sign = this.text[this.at];
    let end = this.at;
    while (this.text[end] === sign) ++end;
    this.say(this.text.slice(this.at, end));
    this.at = end;
    return true;
  }

  /** `until`: the place of its partner, by which it is known. */
  begin(sign, until) {
    this.open.push({ sign, until, index: this.nodes.length });
    this.nodes.push({ type: "text", text: sign, marker: true });
  }

  // Where two overlap, the one that goes on is wrapped in two parts.
  end(sign, until) {
    const opener = this.open.findLastIndex((one) => one.until === until);
    if (opener < 0) return this.say(sign);
    const [outer, ...inner] = this.open.splice(opener);
    for (const one of [...inner].reverse()) this.wrap(one);
    this.wrap(outer);
    for (const one of inner) this.begin(one.sign, one.until);
  }

  wrap({ sign, index }) {
    let children = this.nodes.splice(index).slice(1);
    for (const node of children) delete node.marker;
    if (children.length === 0) return;
    for (const type of meanings[sign]) children = [{ type, children }];
    this.nodes.push(...children);
  }

  /** Of underscores only words between blanks and the like: snake_case, __init__ and ^_^ are text. */
  underscore() {
    underscored.lastIndex = this.at;
    const found = beginsWord.test(this.text[this.at - 1] ?? " ") && underscored.exec(this.text);
    if (found && !(found[1] === "__" && /^\w+$/.test(found[2]))) {
      let children = readInline(found[2], this.inLink);
      for (const type of meanings[found[1]]) children = [{ type, children }];
      this.nodes.push(...children);
      this.at += found[0].length;
      return true;
    }
    return this.emphasis();
  }
}

const beginsWord = /[\s([{"'*~|>:（「『【“‘、。，：・]/;
const underscored = /(_{1,3})(?=[\p{L}\p{N}"'([“‘「`])([^_\n]{0,500}[^_\s])\1(?![\p{L}\p{N}_])/uy;
const meanings = {
  "*": ["em"], "**": ["strong"], "***": ["em", "strong"],
  _: ["em"], __: ["strong"], ___: ["em", "strong"],
  "~~": ["del"],
};
const { escape, code, link, image, angle, bare, entity, newline, emphasis, underscore } = Reader.prototype;
const steps = { "\\": escape, "`": code, "[": link, "!": image, "<": angle, h: bare, "&": entity, "\n": newline, "*": emphasis, _: underscore, "~": emphasis };

// "`` `x` ``": a blank on both sides is there to keep the signs apart.
function withoutPadding(code) {
  return code.startsWith(" ") && code.endsWith(" ") && code.trim() ? code.slice(1, -1) : code;
}

function plainRun(text, from) {
  let to = from + 1;
  while (to < text.length && !steps[text[to]]) ++to;
  return to;
}

/** "https://x.test/a "title")": an address, perhaps a title, the closing parenthesis. */
function readTarget(text, from) {
  const piece = text.slice(from, from + longest);
  const found = /^\s*(?:<([^<>\n]*)>|((?:[^\s()<]|\([^\s()]*\))*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/.exec(piece);
  return found && { href: found[1] ?? found[2], end: from + found[0].length };
}

export function readInline(text, inLink = false) {
  return new Reader(text, inLink).run();
}
