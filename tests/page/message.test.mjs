// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { readDraft } from "./page/draft.js";
import { readInline } from "./page/inline.js";
import { addressOf, safeAddress } from "./page/links.js";
import { readMarkdown } from "./page/markdown.js";
import { snippetPieces } from "./page/snippet.js";
import { languageOf, plainLine } from "./page/text.js";

const text = (words) => ({ type: "text", text: words });

test("emphasis, code and breaks are read, also where letters of Korean follow", () => {
  assert.deepEqual(readInline("**여행**은 *good*"), [
    { type: "strong", children: [text("여행")] }, text("은 "), { type: "em", children: [text("good")] },
  ]);
  assert.deepEqual(readInline("a `x*y` b\nc"), [text("a "), { type: "code", text: "x*y" }, text(" b"), { type: "break" }, text("c")]);
  assert.deepEqual(readInline("snake_case_name 2 * 3 **open"), [text("snake_case_name 2 * 3 **open")]);
});

test("markup of HTML is text", () => {
  const hostile = '<script>alert(1)</script><img src=x onerror=alert(1)>';
  assert.deepEqual(readMarkdown(hostile), [{ type: "paragraph", children: [text(hostile)] }]);
});

test("links keep their address, which is judged elsewhere", () => {
  assert.deepEqual(readInline("[a](https://x.test/b_(c))"), [{ type: "link", href: "https://x.test/b_(c)", children: [text("a")] }]);
  assert.deepEqual(readInline("see https://x.test/a, or"), [text("see "), { type: "link", href: "https://x.test/a", children: [text("https://x.test/a")] }, text(", or")]);
  assert.equal(readInline("![alt](https://x.test/i.png)")[0].type, "link", "no image is loaded");
});

test("only http, https and mailto are addresses", () => {
  for (const good of ["http://x.test/", "https://x.test/a?b#c", "mailto:a@x.test", " HTTPS://x.test"]) assert.ok(safeAddress(good), good);
  for (const bad of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\u0001javascript:alert(1)", "data:text/html,x", "vbscript:x",
    "blob:https://x.test/1", "file:///etc/passwd", "//x.test", "/mirror/v1/sync", "https://bank.test@evil.test/", ""]) assert.equal(safeAddress(bad), null, bad);
});

test("lists, quotes, code, tables and headings are read", () => {
  const [heading, list, quote, code, table] = readMarkdown("# Title #\n1. a\n   - b\n2. c\n\n> q\n\n```js\n*x*\n```\n\n|h|i|\n|-|-|\n|1|2|\n");
  assert.deepEqual(heading, { type: "heading", level: 1, children: [text("Title")] });
  assert.equal(list.items.length, 2);
  assert.equal(list.items[0].children[1].type, "list");
  assert.equal(quote.children[0].type, "paragraph");
  assert.deepEqual(code, { type: "code", text: "*x*", info: "js" });
  assert.equal(table.rows[0].length, 2);
});

test("no message costs more than its length", () => {
  for (const piece of ["[", "*", "`", "**a ", "> ", "- ", "[](", "<", "|\n|-|\n", "_a", "![", "  ", "#", "~~", "https://a(", "[a](b "]) {
    const begin = performance.now();
    readMarkdown(piece.repeat(20000 / piece.length));
    assert.ok(performance.now() - begin < 2000, `${JSON.stringify(piece)} took ${performance.now() - begin} ms`);
  }
});

test("Draft.js becomes the same tree, whatever its ranges say", () => {
  const message = JSON.stringify({
    blocks: [
      { text: "bold link", type: "unstyled", inlineStyleRanges: [{ offset: 0, length: 4, style: "BOLD" }, { offset: -5, length: 1e9, style: "NOPE" }], entityRanges: [{ offset: 5, length: 4, key: 0 }] },
      { text: "one", type: "unordered-list-item" }, { text: "two", type: "unordered-list-item" }, { text: "x", type: "code-block" }, { text: 7 }, null,
    ],
    entityMap: { 0: { type: "LINK", data: { url: "javascript:alert(1)" } } },
  });
  const [first, list, code] = readDraft(message);
  assert.deepEqual(first.children[0], { type: "strong", children: [text("bold")] });
  assert.deepEqual(first.children[2], { type: "link", href: "javascript:alert(1)", children: [text("link")] });
  assert.equal(list.items.length, 2);
  assert.equal(code.text, "x");
  for (const other of ["{", "{}", "hello", '{"blocks":7}', "[]"]) assert.equal(readDraft(other), null, other);
});

test("a snippet is taken apart into text", () => {
  assert.deepEqual(snippetPieces("a &lt;b&gt; <mark>c&amp;lt;</mark>"), [{ text: "a <b> ", marked: false }, { text: "c&lt;", marked: true }]);
});

test("the language of a text is that of its letters", () => {
  for (const [words, language] of [["여행 plan", "ko"], ["温泉の宿", "ja"], ["温泉", "ja"], ["hello", "en"], ["123", ""]]) assert.equal(languageOf(words), language);
  assert.equal(plainLine("evil\u202etxt.exe\n x"), "eviltxt.exe x");
});

test("an id stands in the service's address as it must be written there", () => {
  assert.equal(addressOf("https://a.example/c/{id}?i={id}", "Q29u/$&="), "https://a.example/c/Q29u%2F%24%26%3D?i=Q29u%2F%24%26%3D");
});
