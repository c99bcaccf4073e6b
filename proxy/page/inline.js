// SPDX-License-Identifier: Apache-2.0
// The inside of a Markdown paragraph, read into a tree: emphasis, code, links, bare addresses, line breaks. One walk over
// the text, with what would need a look ahead worked out before, so that no message costs more than its length. What is
// nothing of these is text. Pure.

const punctuation = /[!-/:-@[-`{-~]/;
const address = /https?:\/\/[^\s<>"'`\u3000-\u303f\uff00-\uff0f]{1,2000}/y;
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

/** For each length of a run of backticks, where such runs begin. */
function findTicks(text) {
  const runs = new Map();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    if (!runs.has(run.length)) runs.set(run.length, []);
    runs.get(run.length).push(index);
  }
  return runs;
}

class Reader {
  constructor(text, inLink) {
    this.text = text;
    this.inLink = inLink;
    this.at = 0;
    this.nodes = [];
    this.open = []; // emphasis begun: {marker, index into nodes}
    this.brackets = inLink ? new Map() : matchBrackets(text);
    this.ticks = findTicks(text);
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
    const length = end - this.at;
    const runs = this.ticks.get(length) ?? [];
    while (runs.length > 0 && runs[0] < end) runs.shift();
    if (runs.length > 0) {
      this.nodes.push({ type: "code", text: withoutPadding(this.text.slice(end, runs[0]).replace(/\n/g, " ")) });
      this.at = runs[0] + length;
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
    address.lastIndex = this.at;
    const found = address.exec(this.text)?.[0];
    if (!found) return false;
    const href = withoutTail(found);
    this.nodes.push({ type: "link", href, children: [{ type: "text", text: href }] });
    this.at += href.length;
    return true;
  }

  newline() {
    this.nodes.push({ type: "break" });
    ++this.at;
    while (this.text[this.at] === " ") ++this.at;
    return true;
  }

  emphasis() {
    const sign = this.text[this.at];
    let end = this.at;
    while (this.text[end] === sign) ++end;
    const marker = this.text.slice(this.at, end);
    this.take(marker, this.text[this.at - 1] ?? " ", this.text[end] ?? " ");
    this.at = end;
    return true;
  }

  take(marker, before, after) {
    const meaning = meanings[marker];
    const inWord = marker[0] === "_" && /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after);
    if (!meaning || inWord) return this.say(marker);
    const opener = /\S/.test(before) ? this.open.findLastIndex((one) => one.marker === marker) : -1;
    if (opener >= 0) return this.close(opener, meaning);
    if (!/\S/.test(after) || this.open.length >= 20) return this.say(marker);
    this.open.push({ marker, index: this.nodes.length });
    this.nodes.push({ type: "text", text: marker, marker });
  }

  close(opener, meaning) {
    const { index } = this.open[opener];
    this.open.length = opener;
    let children = this.nodes.splice(index).slice(1);
    for (const node of children) delete node.marker;
    for (const type of meaning) children = [{ type, children }];
    this.nodes.push(...children);
  }
}

const meanings = {
  "*": ["em"], "**": ["strong"], "***": ["em", "strong"],
  "_": ["em"], "__": ["strong"], "___": ["em", "strong"],
  "~~": ["del"],
};
const { escape, code, link, image, angle, bare, newline, emphasis } = Reader.prototype;
const steps = { "\\": escape, "`": code, "[": link, "!": image, "<": angle, h: bare, "\n": newline, "*": emphasis, _: emphasis, "~": emphasis };

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

// Punctuation at the end of an address belongs to the sentence, a closing parenthesis only when one was opened.
function withoutTail(text) {
  let end = text.length;
  while (end > 8 && /[.,:;!?)\]*_~]/.test(text[end - 1])) {
    if (text[end - 1] === ")" && text.slice(0, end).split("(").length >= text.slice(0, end).split(")").length) break;
    --end;
  }
  return text.slice(0, end);
}

export function readInline(text, inLink = false) {
  return new Reader(text, inLink).run();
}
