// SPDX-License-Identifier: Apache-2.0
// What people wrote is what is read: signs, numbers and addresses stay where they are not plainly Markdown's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { addressAt } from "./page/address.js";
import { readInline } from "./page/inline.js";
import { readMarkdown } from "./page/markdown.js";
import { cutAt, lengthOf, Pieces, split, textOf } from "./page/pieces.js";
import { streamMarkdown } from "./page/markdown.js";

const folder = process.env.ALLI_TESTS;
const plain = (text) => readInline(text).map(textOf).join("");
/** As it stands on the screen: items with their markers. */
function shown(node) {
  if (Array.isArray(node)) return node.map(shown).join("\n");
  if (node.type === "list") return node.items.map(({ marker, children }) => `${marker} ${shown(children)}`).join("\n");
  return node.type === "quote" ? shown(node.children) : textOf(node);
}

test("marks are those of the search index, by one table of examples", () => {
  const table = JSON.parse(readFileSync(`${folder}/page/marks.json`, "utf8"));
  assert.ok(table.length > 20);
  for (const [written, read] of table) assert.equal(plain(written), read, written);
});

test("the examples of docs/page.md hold", () => {
  const rows = readFileSync(`${folder}/../docs/page.md`, "utf8").split("\n").filter((line) => line.startsWith("| `")).map((line) => [...line.matchAll(/ `([^`]*)` | (\w+) \|$/g)].map((found) => found[1] ?? found[2]));
  assert.ok(rows.length > 25);
  for (const [text, read, kind] of rows) {
    if (kind === undefined) assert.equal(addressAt(text, 0), read, text);
    else assert.deepEqual([shown(readMarkdown(text)), readMarkdown(text)[0].type], [read, kind], text);
  }
});

test("marks that overlap mark what lies between each pair", () => {
  const [strong, em] = readInline("**a *b** c*");
  assert.equal(strong.type, "strong");
  assert.equal(textOf(strong.children[1]), "b");
  assert.equal(strong.children[1].type, "em");
  assert.deepEqual([em.type, textOf(em)], ["em", " c"]);
});

test("underscores that belong to names and faces are text", () => {
  for (const text of ["snake_case_name", "__init__", "__init__.py", "^_^ yes ^_^", "-_- no -_-", ">_< oh >_<", "T_T", "m(_ _)m", "이름: ___ 나이: ___", "ㅡ_ㅡ", "a_b_", "_a"]) assert.equal(plain(text), text);
  assert.equal(readInline("이것은 _정말 중요_ 합니다")[1].type, "em");
  assert.equal(readInline("__very important__")[0].type, "strong");
});

test("what is not plainly a list is text, and an item keeps its number and sign", () => {
  for (const text of [
    "2026. 1. 5. 회의\n2026. 1. 6. 출장\n2026. 2. 7. 휴가",
    "1. 5. 회의\n1. 6. 출장",
    "3. first\n7. second\n7. third",
    "2) two\n3) three",
    "- minus\n* star\n+ plus",
    "1. one\n\n1. one again",
    "10. ten",
    "10\n2024. it was",
    "준비물은\n2. 텐트와\n3. 침낭",
    "- 5 degrees",
    "#1 문의 #해시태그",
    "#",
    ">_<",
    ">>> print(1)",
    ">.< 아\n>:( 네",
    "100. hundred\n1000. thousand",
  ]) assert.equal(readMarkdown(text).map(shown).join("\n"), text.replace(/\n\n/g, "\n"), text);
  assert.equal(readMarkdown("2026. 1. 5. 회의")[0].type, "paragraph");
  const [list] = readMarkdown("1. a\n   - b\n2. c");
  assert.deepEqual([list.type, list.items.length, list.items[0].children[1].type], ["list", 2, "list"]);
  assert.deepEqual(readMarkdown("단계:\n1. a\n2. b").map(({ type }) => type), ["paragraph", "list"]);
});

test("no cell and no word behind a fence is dropped", () => {
  const [table] = readMarkdown("|a|b|\n|-|-|\n|1|2|3|4|");
  assert.equal(table.rows[0].length, 4);
  assert.match(textOf(readMarkdown(`|${"x|".repeat(60)}\n|-|\n|${"y|".repeat(60)}`)[0]), /^(x\|?){60}(y\|?){60}$/);
  assert.equal(readMarkdown("```설명 한 줄\ncode\n```")[0].info, "설명 한 줄");
});

test("an address ends before the letters that go on with the sentence", () => {
  for (const [text, address] of [
    ["https://example.com입니다", "https://example.com"],
    ["https://example.com에서 보세요", "https://example.com"],
    ["https://example.comです", "https://example.com"],
    ["https://example.com是", "https://example.com"],
    ["https://example.com:8080입니다", "https://example.com:8080"],
    ["https://example.com.그리고", "https://example.com"],
    ["https://192.168.0.1로", "https://192.168.0.1"],
    ["https://example.com/입니다", "https://example.com/"],
    ["https://example.com/에서", "https://example.com/"],
    ["https://example.com/page입니다", "https://example.com/page"],
    ["https://example.com/a/b.html를", "https://example.com/a/b.html"],
    ["https://example.com?q=1입니다", "https://example.com?q=1"],
    ["https://ja.wikipedia.org/wiki/東京", "https://ja.wikipedia.org/wiki/東京"],
    ["https://ja.wikipedia.org/wiki/東京都23区", "https://ja.wikipedia.org/wiki/東京都23区"],
    ["https://ko.wikipedia.org/wiki/서울특별시 참고", "https://ko.wikipedia.org/wiki/서울특별시"],
    ["https://x.test/검색?단어=여행&쪽=2", "https://x.test/검색?단어=여행&쪽=2"],
    ["https://x.test/a#개요를", "https://x.test/a#개요를"],
    ["https://한국인터넷정보센터.한국/소개", "https://한국인터넷정보센터.한국/소개"],
    ["https://www.도메인.한국", "https://www.도메인.한국"],
    ["https://www.도메인.kr/a", "https://www.도메인.kr/a"],
    ["https://x.test/a（注）", "https://x.test/a"],
    ["https://x.test/a？", "https://x.test/a"],
    ["https://x.test/a。次", "https://x.test/a"],
    ["https://x.test/b_(c))", "https://x.test/b_(c)"],
    ["https://x.test/a, or", "https://x.test/a"],
    ["https://x.test…", "https://x.test"],
    ["https://입니다", "https://입니다"],
    ["https://", null],
    ["https:///a", null],
  ]) assert.equal(addressAt(text, 0), address, text);
  const [link, rest] = readInline("https://example.com입니다");
  assert.deepEqual([link.href, rest.text], ["https://example.com", "입니다"]);
});

test("references to characters are read, but not in code, and others are text", () => {
  assert.equal(plain("a&nbsp;b AT&amp;T &lt;b&gt; &#44032; &#xac00; &#0; &quot;q&quot;"), 'a\u00a0b AT&T <b> 가 가 \ufffd "q"');
  assert.equal(plain("`&amp;` &nothing; & &amp &constructor; R&D;"), "&amp; &nothing; & &amp &constructor; R&D;");
});

test("a long message is cut between blocks or inside one of the same kind, and nothing is lost", () => {
  const code = Array.from({ length: 800 }, (_, i) => `line_${i} = a * b * c  # ${i}`).join("\n");
  const pieces = new Pieces(streamMarkdown(`before\n\n\`\`\`py\n${code}\n\`\`\`\n\n# After *it*\n\n${"word ".repeat(3000)}`));
  const taken = [];
  while (taken.length === 0 || pieces.missing > 0) taken.push(pieces.take(taken.length === 0 ? 4000 : 20000));
  const blocks = taken.flat();
  assert.deepEqual([...new Set(blocks.map(({ type }) => type))], ["paragraph", "code", "heading"]);
  assert.equal(blocks.filter(({ type }) => type === "code").map(({ text }) => text).join(""), code);
  assert.ok(lengthOf(taken[0]) <= 4100, "as much as was asked for");
  assert.ok(taken.length >= 3);
  const whole = new Pieces(streamMarkdown("a\n\nb")).take(Infinity);
  assert.equal(whole.length, 2);
});

test("lists, tables and nested marks are cut without a change of their kind", () => {
  const [list] = readMarkdown(Array.from({ length: 50 }, (_, i) => `${i + 1}. **item ${i}** with some words\n   more of it`).join("\n"));
  for (let limit = 1; limit < lengthOf(list) + 10; limit += 7) {
    const [first, rest] = split(list, limit);
    assert.equal(textOf(first) + (rest ? textOf(rest) : ""), textOf(list));
    if (rest) assert.equal(rest.type, "list");
    const markers = [...first.items, ...(rest?.items ?? [])].map(({ marker }) => marker).filter(Boolean);
    assert.deepEqual(markers, list.items.map(({ marker }) => marker));
  }
  const [table] = readMarkdown(`|a|b|\n|-|-|\n${"|some|cells|\n".repeat(100)}`);
  const [head, rest] = split(table, 200);
  assert.equal(head.rows.length + rest.rows.length, 100);
  assert.ok([...head.rows, ...rest.rows].every((row) => row.length === 2));
  assert.equal(cutAt("a😀", 2), 1);
});

test("no message costs more than its length, whatever it repeats", () => {
  for (const piece of ["https://a(", "https://a)", "https://x.test/가", "&amp;", "&#", "_a", "__a b", "*a ", "**a`", "~~a ", "`a", "1. ", "2026. ", "> ", "```\n", "|", "\\", "https://가.", "(*", "*_~`"]) {
    const time = (size) => {
      const text = piece.repeat(size / piece.length);
      const begin = process.cpuUsage(); // not the clock: other tests run beside this one
      readMarkdown(text);
      return process.cpuUsage(begin).user / 1000;
    };
    time(2000);
    const [small, large] = [Math.min(time(19_000), time(19_000)), time(152_000)]; // eight times as much
    assert.ok(small < 100, `${JSON.stringify(piece)} took ${small} ms for 19 kB`);
    assert.ok(large < 1000, `${JSON.stringify(piece)} took ${large} ms for 152 kB`);
  }
});
