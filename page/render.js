// SPDX-License-Identifier: Apache-2.0
// The tree of a message (markdown.js, draft.js) as elements. Knows the kinds below and no others; takes from the tree text
// and addresses alone, and addresses only through links.js.
import { el } from "./dom.js";
import { linkTo } from "./links.js";
import { textOf } from "./pieces.js";
import { entryOf } from "./text.js";

const inner = (node) => (node.children ?? []).map(render);

// Overrides make "exe.png" of "gnp.exe"; no language needs them, directions are known by the letters.
const plain = (text) => text.replace(/[\u202d\u202e]/g, "");

const kinds = {
  text: (node) => plain(node.text),
  break: () => el("br"),
  em: (node) => el("em", {}, ...inner(node)),
  strong: (node) => el("strong", {}, ...inner(node)),
  del: (node) => el("del", {}, ...inner(node)),
  u: (node) => el("u", {}, ...inner(node)),
  code: (node) => (node.info === undefined && !node.text.includes("\n") ? el("code", {}, plain(node.text)) : block(node)),
  link: (node) => linkTo(node.href, ...inner(node)),
  paragraph: (node) => el("p", { dir: "auto" }, ...inner(node)),
  heading: (node) => el(`h${Math.min(6, node.level + 2)}`, { dir: "auto" }, ...inner(node)),
  quote: (node) => el("blockquote", { dir: "auto" }, ...inner(node)),
  rule: () => el("hr"),
  list: (node) => el(node.ordered ? "ol" : "ul", { role: "list", dir: "auto" }, ...node.items.map(item)),
  table,
};

// What stands behind the fence may be more than the name of a language.
function block(node) {
  const code = el("pre", { tabindex: "0", dir: "ltr", lang: null }, el("code", {}, plain(node.text)));
  return node.info ? el("div", { class: "fenced" }, el("p", { class: "label" }, plain(node.info)), code) : code;
}

// An item that begins with a paragraph has its number or sign on the same line. It is text, to be read, copied and found
// as it was written.
function item({ marker, children }) {
  const [first, ...more] = children;
  const isLine = first?.type === "paragraph";
  return el("li", { dir: "auto" }, marker && [el("span", { class: "marker" }, marker), " "], ...(isLine ? inner(first) : children.map(render)), ...(isLine ? more.map(render) : []));
}

function table(node) {
  const row = (cells, tag) => el("tr", {}, ...cells.map((cell) => el(tag, { dir: "auto" }, ...cell.map(render))));
  return el("div", { class: "table", tabindex: "0" }, el("table", {}, el("thead", {}, row(node.head, "th")), el("tbody", {}, ...node.rows.map((cells) => row(cells, "td")))));
}

function render(node) {
  const draw = entryOf(kinds, node.type);
  return draw ? draw(node) : plain(textOf(node));
}

/** An element for each block. */
export const renderBlocks = (tree) => tree.map(render);
