// SPDX-License-Identifier: Apache-2.0
// Figures for who uses no mouse and sees no drawing, and what the page says, in each language: what is not complete, what is
// no filter, previews without marks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeWorld } from "./world.mjs";

const day = 86_400;
const dialogues = Array.from({ length: 8 }, (_, n) => [`figured${n}`, [["may I ask?", null], ["**Yes**, [of course](https://example.com/x), `now`", n % 2 === 0]], Math.round(day * (0.1 + n))]);
let world;
before(async () => (world = await makeWorld({}, dialogues)));
after(() => world?.end());

async function open(hash, options, act, prepare = () => {}) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", timezoneId: "Asia/Seoul", ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.stack));
  await prepare(page);
  await page.goto(`${world.base}/${hash}`);
  try {
    await act(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));

test("a chart is one stop of the keyboard, and each of its bars leads to what it counts", () =>
  open("#/insights?days=30", {}, async (page) => {
    for (const [chart, chips] of [[".bars-one", 2], [".bars-two", 3]]) { // after and before; of ratings bad ones beside
      await page.goto(`${world.base}/#/insights?days=30`);
      await page.locator(chart).waitFor();
      assert.equal(await page.locator(`${chart} a[tabindex="0"]`).count(), 1);
      const last = page.locator(`${chart} a`).last();
      await last.focus();
      const newest = await focused(page);
      await page.keyboard.press("ArrowLeft");
      const before = await focused(page);
      assert.notEqual(before, newest);
      assert.match(before, /2026|20\d\d/);
      await page.keyboard.press("Home");
      assert.notEqual(await focused(page), before);
      await page.keyboard.press("End");
      assert.equal(await focused(page), newest);
      await page.keyboard.press("Enter");
      await page.locator("body[data-view=list] .results-head").waitFor();
      assert.equal(await page.locator(".chips button.chip:not(.chip-add)").count(), chips);
    }
  }));

test("behind the charts there is a table of the same numbers", () =>
  open("#/insights?days=30", {}, async (page) => {
    await page.locator(".bars-one").waitFor();
    await page.locator(".insights summary").first().click();
    const names = await page.locator(".bars-one a").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
    const rows = await page.locator(".insights details table tbody tr").evaluateAll((all) => all.map((row) => [row.querySelector("th").innerText, row.querySelectorAll("td")[1].innerText]));
    assert.ok(names.length >= 8);
    assert.deepEqual(rows.map(([name, messages]) => `${name}: ${messages}`).reverse(), names);
    const heads = await page.locator(".insights details table thead th").allInnerTexts();
    assert.ok(heads.length >= 9 && heads.every(Boolean));
  }));

const locales = {
  "en-US": { since: /^Not yet complete before /i, none: /still being filled/, filter: /searched for as words/ },
  "ko-KR": { since: /이전은 아직 완전하지 않습니다\.$/, none: /미러를 채우는 중/, filter: /단어로 검색했습니다/ },
  "ja-JP": { since: /より前はまだ揃っていません。$/, none: /ミラーを作成中/, filter: /言葉として検索しました/ },
};
/** As a mirror that is not filled says it. */
const withCoverage = (coverage) => (page) => page.route(/\/mirror\/v1\/insights/, async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, json: { ...(await response.json()), coverage } });
});
for (const [locale, says] of Object.entries(locales)) {
  test(`figures say since when they are complete, ${locale}`, async () => {
    const first = (page) => page.locator(".insights .hint-wrong").first().innerText();
    await open("#/insights", { locale }, async (page) => assert.match(await first(page), says.since), withCoverage({ complete: false, from: "2026-01-31T15:00:00Z", through: null }));
    await open("#/insights", { locale }, async (page) => assert.match(await first(page), says.none), withCoverage({ complete: false, from: null, through: null }));
    await open("#/insights", { locale }, async (page) => {
      await page.locator(".tiles").waitFor();
      assert.equal(await page.locator(".insights .hint-wrong").count(), 0);
    });
  });

  test(`what is no filter is said with what would be one, ${locale}`, () =>
    open(`#/?q=${encodeURIComponent("rating:meh after:lunch state:nothing")}`, { locale }, async (page) => {
      const notes = page.locator(".results-head .hint-wrong");
      await notes.nth(2).waitFor();
      const said = await notes.allInnerTexts();
      assert.match(said.find((one) => one.includes("rating:meh")), says.filter);
      assert.match(said.find((one) => one.includes("rating:meh")), /good, bad, none/);
      assert.match(said.find((one) => one.includes("after:lunch")), /yesterday.*7d/);
      assert.ok(said.some((one) => one.includes("state:nothing")));
      if (locale !== "en-US") for (const one of said) assert.doesNotMatch(one, /\b(is|was|valid|filter|searched|no|words)\b/i);
    }));
}

test("a preview is plain text", () =>
  open("", {}, async (page) => {
    await page.locator("a.row .row-text", { hasText: "Yes, of course, now" }).first().waitFor();
    const { conversations } = await (await fetch(`${world.base}/webapi/v2/conversations?pageSize=50`)).json();
    const literal = new Set(conversations.filter(({ chats }) => chats.at(-1)?.message?.startsWith("{")).map(({ id }) => id)); // Draft.js: its stars are none of Markdown's
    const rows = await page.locator("a.row:has(.row-text)").evaluateAll((all) => all.map((row) => [decodeURIComponent(/#\/c\/([^?]*)/.exec(row.href)[1]), row.querySelector(".row-text").innerText]));
    const own = rows.filter(([, text]) => text.includes("Yes")); // others hold code, which has its stars
    assert.ok(own.length >= dialogues.length);
    for (const [id, text] of own) assert.doesNotMatch(text, literal.has(id) ? /"blocks"/ : /\*\*|\]\(/);
  }));

// As those who speak them say it; the words that were wrong once.
for (const [locale, state, cancel, beforeName] of [["ko-KR", "방금 서비스와 비교했습니다", "취소", "이전"], ["ja-JP", "たった今サービスと照合しました", "キャンセル", "より前"]])
  test(`the words of ${locale}`, () =>
    open("#/state", { locale }, async (page) => {
      await page.locator(".banner", { hasText: state }).waitFor();
      await page.goto(`${world.base}/#/`);
      await page.locator(".chip-add").click();
      await page.locator("dialog[open] button", { hasText: cancel }).waitFor();
      assert.equal(await page.locator("#filter-kind option[value=before]").innerText(), beforeName);
    }));
