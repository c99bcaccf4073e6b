// SPDX-License-Identifier: Apache-2.0
// Markdown as chat apps write it, read into a tree of blocks: headings, paragraphs, lists, quotes, code, tables, rules. No
// raw HTML: that is text like any other. What people write is kept: items have the number and sign that they were given,
// and what is not plainly a block is text. Costs no more than the length of the text; nests eight deep. Pure.
import { readInline } from "./inline.js";

const deepest = 8;

const isBlank = (line) => line.trim() === "";
const indentOf = (line) => line.length - line.trimStart().length;
const fenceOf = (line) => /^ {0,3}(`{3,}|~{3,})([^`]*)$/.exec(line);
const headingOf = (line) => /^ {0,3}(#{1,6})[ \t]+(?=[^\s#])/.exec(line);
const isRule = (line) => /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/.test(line);
const isQuote = (line) => /^ {0,3}>(?:[ \t]|$)/.test(line); // not >_<
const isDivider = (line) => line.includes("-") && /^[\s|:-]+$/.test(line) && line.includes("|");

// A number of four digits is a year, and one that another follows with a point is a date: "1. 5. 회의".
function itemOf(line) {
  const found = /^([ \t]*)([-*+]|\d{1,3}[.)])(?:[ \t]+(?=\S)|$)/.exec(line);
  if (!found || isRule(line)) return null;
  const [whole, indent, marker] = found;
  const ordered = /\d/.test(marker);
  if (ordered && /^\d{1,2}\.(?:\s|$)/.test(line.slice(whole.length))) return null;
  return { indent: indent.length, offset: whole.length, ordered, marker };
}

// A number in the middle of a paragraph begins a list only where it is the first one.
const interrupts = (item) => item && (!item.ordered || parseInt(item.marker, 10) <= 1);
const begins = (line) => fenceOf(line) || headingOf(line) || isRule(line) || isQuote(line) || itemOf(line);
const breaks = (line) => fenceOf(line) || headingOf(line) || isRule(line) || isQuote(line) || interrupts(itemOf(line));

function readFence(lines, at) {
  const [, fence, info] = fenceOf(lines[at]);
  const inside = [];
  let end = at + 1;
  for (; end < lines.length; ++end) {
    const line = lines[end].trim();
    if (line.startsWith(fence) && line.replaceAll(fence[0], "") === "") break;
    inside.push(lines[end]);
  }
  return [{ type: "code", text: inside.join("\n"), info: info.trim() }, end + 1];
}

function readHeading(lines, at) {
  const [whole, signs] = headingOf(lines[at]);
  let text = lines[at].slice(whole.length).trimEnd();
  let end = text.length;
  while (text[end - 1] === "#") --end;
  if (end === 0 || /\s/.test(text[end - 1])) text = text.slice(0, end).trimEnd();
  return [{ type: "heading", level: signs.length, children: readInline(text) }, at + 1];
}

function readQuote(lines, at, depth) {
  let end = at;
  while (end < lines.length && isQuote(lines[end])) ++end;
  const inside = lines.slice(at, end).map((line) => line.replace(/^ {0,3}>[ \t]?/, ""));
  return [{ type: "quote", children: readBlocks(inside, depth + 1) }, end];
}

function readItem(lines, at, start) {
  const inside = [lines[at].slice(start.offset)];
  let end = at + 1;
  for (; end < lines.length; ++end) {
    const line = lines[end];
    if (isBlank(line)) {
      let next = end;
      while (next < lines.length && isBlank(lines[next])) ++next;
      if (next === lines.length || indentOf(lines[next]) < start.indent + 2) break;
      inside.push("");
      end = next - 1;
    } else if (indentOf(line) >= start.indent + 2) inside.push(line.slice(Math.min(indentOf(line), start.offset)));
    else if (begins(line)) break;
    else inside.push(line.trim());
  }
  return [inside, end];
}

function readList(lines, at, depth) {
  const first = itemOf(lines[at]);
  const list = { type: "list", ordered: first.ordered, items: [] };
  for (let start = first; start && start.ordered === first.ordered && start.indent <= first.indent + 1; ) {
    const [inside, end] = readItem(lines, at, start);
    list.items.push({ marker: start.marker, children: readBlocks(inside, depth + 1) });
    at = end;
    while (at < lines.length && isBlank(lines[at])) ++at;
    start = at < lines.length ? itemOf(lines[at]) : null;
  }
  return [list, at];
}

const mostCells = 50; // of a row; what is more stands in the last

function cellsOf(line) {
  const cells = line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/);
  const shown = cells.length > mostCells ? [...cells.slice(0, mostCells - 1), cells.slice(mostCells - 1).join("|")] : cells;
  return shown.map((cell) => readInline(cell.trim().replaceAll("\\|", "|")));
}

function readTable(lines, at) {
  const head = cellsOf(lines[at]);
  const rows = [];
  let end = at + 2;
  for (; end < lines.length && lines[end].includes("|") && !isBlank(lines[end]); ++end) rows.push(cellsOf(lines[end]));
  return [{ type: "table", head, rows }, end];
}

function readParagraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !breaks(lines[end]) && !isTable(lines, end)) ++end;
  const text = lines.slice(at, end).map((line) => line.trim()).join("\n");
  return [{ type: "paragraph", children: readInline(text) }, end];
}

const isTable = (lines, at) => lines[at].includes("|") && at + 1 < lines.length && isDivider(lines[at + 1]);

function readBlock(lines, at, depth) {
  if (depth < deepest) {
    if (isQuote(lines[at])) return readQuote(lines, at, depth);
    if (itemOf(lines[at])) return readList(lines, at, depth);
  }
  if (fenceOf(lines[at])) return readFence(lines, at);
  if (headingOf(lines[at])) return readHeading(lines, at);
  if (isRule(lines[at])) return [{ type: "rule" }, at + 1];
  if (isTable(lines, at)) return readTable(lines, at);
  return readParagraph(lines, at);
}

function* blocksOf(lines, depth) {
  for (let at = 0; at < lines.length; ) {
    if (isBlank(lines[at])) {
      ++at;
      continue;
    }
    const [block, next] = readBlock(lines, at, depth);
    at = next;
    yield [block, next];
  }
}

const readBlocks = (lines, depth) => [...blocksOf(lines, depth)].map(([block]) => block);
const linesOf = (text) => text.replace(/\r\n?/g, "\n").split("\n");

/** Block by block, each with how many characters of the text lie behind it. */
export function* streamMarkdown(text) {
  const lines = linesOf(text);
  let left = text.length;
  let read = 0;
  for (const [block, next] of blocksOf(lines, 0)) {
    for (; read < next && read < lines.length; ++read) left -= lines[read].length + 1;
    yield { block, left: Math.max(0, left) };
  }
}

export const readMarkdown = (text) => readBlocks(linesOf(text), 0);
