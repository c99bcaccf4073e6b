// SPDX-License-Identifier: Apache-2.0
// Messages of older apps: a Draft.js raw content object as a JSON string, read into the same tree that Markdown is read
// into (markdown.js). Pure.
import { entryOf } from "./text.js";

const headings = { "header-one": 1, "header-two": 2, "header-three": 3, "header-four": 4, "header-five": 5, "header-six": 6 };
const styles = { BOLD: "strong", ITALIC: "em", CODE: "code", STRIKETHROUGH: "del", UNDERLINE: "u" };

/** The tree of a Draft.js message; none when it is not one. */
export function readDraft(message) {
  if (!message.startsWith("{")) return null;
  let content;
  try {
    content = JSON.parse(message);
  } catch {
    return null;
  }
  if (!Array.isArray(content?.blocks)) return null;
  const blocks = content.blocks.filter((block) => typeof block?.text === "string");
  return joinLists(blocks.map((block) => blockOf(block, content.entityMap ?? {})));
}

function blockOf(block, entities) {
  const children = inlineOf(block, entities);
  const level = entryOf(headings, block.type);
  if (level) return { type: "heading", level, children };
  if (block.type === "blockquote") return { type: "quote", children: [{ type: "paragraph", children }] };
  if (block.type === "code-block") return { type: "code", text: block.text };
  if (block.type === "unordered-list-item" || block.type === "ordered-list-item")
    return { type: "item", ordered: block.type === "ordered-list-item", children };
  return { type: "paragraph", children };
}

// Neighbouring items become one list, neighbouring lines of code one block.
function joinLists(blocks) {
  const joined = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    if (block.type === "code" && last?.type === "code") last.text += "\n" + block.text;
    else if (block.type !== "item") joined.push(block);
    else if (last?.type === "list" && last.ordered === block.ordered) last.items.push(itemOf(block, last.items.length));
    else joined.push({ type: "list", ordered: block.ordered, items: [itemOf(block, 0)] });
  }
  return joined;
}

// No number is written in it: the first is 1.
function itemOf({ ordered, children }, before) {
  return { marker: ordered ? `${before + 1}.` : "•", children: [{ type: "paragraph", children }] };
}

const whole = (value) => (typeof value === "number" ? value | 0 : 0);

function ranges(list, limit) {
  return (Array.isArray(list) ? list : []).slice(0, 1000).flatMap((range) => {
    const from = Math.max(0, whole(range?.offset));
    const to = Math.min(limit, from + whole(range?.length));
    return from < to ? [{ ...range, from, to }] : [];
  });
}

// Cuts the text wherever a style or a link begins or ends; the same styles then wrap the same piece.
function inlineOf(block, entities) {
  const styled = ranges(block.inlineStyleRanges, block.text.length).filter((range) => entryOf(styles, range.style));
  const linked = ranges(block.entityRanges, block.text.length).filter((range) => linkOf(entityOf(entities, range.key)));
  const cuts = [...new Set([0, block.text.length, ...[...styled, ...linked].flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b);
  const covers = (from) => (range) => range.from <= from && from < range.to;
  return cuts.slice(0, -1).map((from, i) => {
    const text = block.text.slice(from, cuts[i + 1]);
    let node = { type: "text", text };
    for (const range of styled.filter(covers(from)))
      node = entryOf(styles, range.style) === "code" ? { type: "code", text } : { type: entryOf(styles, range.style), children: [node] };
    const link = linked.find(covers(from));
    return link ? { type: "link", href: linkOf(entityOf(entities, link.key)), children: [node] } : node;
  });
}

const entityOf = (entities, key) => entryOf(entities, typeof key === "number" ? String(key) : key);

function linkOf(entity) {
  const address = entity?.type === "LINK" && (entity.data?.url ?? entity.data?.href);
  return typeof address === "string" ? address : null;
}
