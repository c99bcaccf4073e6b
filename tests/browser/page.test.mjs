// SPDX-License-Identifier: Apache-2.0
// The page as a person uses it, in a real browser. Every page that a test opens must stay on its own host and without errors.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { makeWorld } from "./world.mjs";

const axe = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const pictures = process.env.ALLI_PICTURES; // a folder for screenshots, to be looked at
let world;
before(async () => (world = await makeWorld()));
after(() => world?.end());

async function open(hash, options, act) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("request", (request) => request.url().startsWith(world.base) || wrong.push(`asked ${request.url()}`));
  page.on("pageerror", (error) => wrong.push(error.stack));
  await page.goto(`${world.base}/${hash}`, { waitUntil: "domcontentloaded" });
  try {
    await act(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

const find = (words) => `#/?q=${encodeURIComponent(words)}`;
async function openHit(page) {
  await page.locator(".side a.row").first().click();
  await page.locator(".chat").first().waitFor();
}

test("search finds in three languages as one types, and a hit opens its conversation there", () =>
  open("", {}, async (page) => {
    for (const words of ["harbour", "여행지", "案内"]) {
      await page.keyboard.press("/");
      await page.keyboard.press("Control+A");
      await page.keyboard.insertText(words);
      await page.locator(".snippet mark", { hasText: words }).first().waitFor();
      await openHit(page);
      await page.locator(".chat-target mark", { hasText: words }).first().waitFor();
    }
    assert.equal(await page.locator(".chat-target .message").getAttribute("lang"), "ja");
  }));

test("10,000 messages scroll with few elements, and a hit in their middle is opened", () =>
  open(find("needleword"), {}, async (page) => {
    await openHit(page);
    await page.locator(".chat-target", { hasText: "needleword" }).waitFor();
    assert.equal(await page.locator(".chat-target").getAttribute("aria-posinset"), "4322");
    assert.ok(await page.locator(".chat-target").isVisible());
    const most = await page.evaluate(async () => {
      const list = document.querySelector(".timeline");
      let rows = 0;
      for (let i = 0; i <= 100; ++i) {
        list.scrollTop = (list.scrollHeight * i) / 100;
        await new Promise(requestAnimationFrame);
        rows = Math.max(rows, list.querySelectorAll(".timeline-row").length);
      }
      return rows;
    });
    assert.ok(most < 100, `${most} rows at once`);
    await page.locator(".timeline").focus();
    await page.keyboard.press("End");
    await page.locator(".chat", { hasText: "line 9999 of" }).waitFor();
    await page.keyboard.press("Home");
    await page.locator(".chat", { hasText: "line 0 of" }).waitFor();
  }));

test("what a hostile message holds stays text", () =>
  open(find("hostileanswer"), {}, async (page) => {
    await openHit(page);
    const message = page.locator(".chat-target .message");
    await message.waitFor();
    assert.match(await message.innerText(), /<script>window\.caught = 1<\/script><img src=/);
    assert.equal(await page.locator(".timeline :is(script, img, svg:not(.icon), iframe)").count(), 0);
    assert.match(await message.innerText(), /gnp\.exe/);
    assert.ok(!(await message.innerText()).includes("\u202e"), "nothing turns a line around");
    const links = await message.locator("a").evaluateAll((all) => all.map(({ href, rel }) => `${href} ${rel}`));
    assert.ok(links.length > 0);
    for (const link of links) assert.match(link, /^https?:.* noopener noreferrer nofollow$/);
    await page.locator(".chat", { hasText: "megabyte" }).locator(".more").waitFor();
    assert.ok((await page.locator(".chat", { hasText: "megabyte" }).innerText()).length < 6000);
    assert.ok(!(await page.locator(".timeline").innerText()).includes('"blocks"'), "Draft.js is read, however long");
    assert.equal(await page.evaluate(() => window.caught), undefined);
  }));

test("a change made offline is seen waiting, and then delivered", () =>
  open(find("lighthouse"), {}, async (page) => {
    await openHit(page);
    world.wire.cut();
    await page.keyboard.press("e");
    await page.locator(".title-form input").fill("Named offline");
    await page.keyboard.press("Enter");
    await page.locator(".title h2", { hasText: "Named offline" }).waitFor();
    await page.locator(".reader-head .badge-wait").waitFor();
    await page.goto(`${world.base}/#/state`);
    await page.locator(".write .badge-wait").waitFor();
    world.wire.mend();
    await page.locator(".banner button").click(); // not to wait for the next try
    await page.locator(".write .badge-good", { hasText: "Delivered" }).waitFor({ timeout: 40_000 });
  }));

for (const [locale, needs, said] of [["en-US", "1 change needs you", "Renamed “"], ["ko-KR", "확인이 필요한 변경 1건", "이름 변경"], ["ja-JP", "確認が必要な変更 1 件", "名前を変更"]])
  test(`a change that was made there too is said, and one side is kept, ${locale}`, () =>
    open(find("paperline"), { locale }, async (page) => {
      await openHit(page);
      const id = decodeURIComponent(/#\/c\/([^?]*)/.exec(page.url())[1]);
      world.wire.cut();
      await page.keyboard.press("e");
      await page.locator(".title-form input").fill(`Mine ${locale}`);
      await page.keyboard.press("Enter");
      await page.locator(".reader-head .badge-wait").waitFor();
      const there = await fetch(`${world.upstream}/webapi/v2/conversations/${encodeURIComponent(id)}/title`, { method: "PUT", headers: { "API-KEY": "sandbox", "Content-Type": "application/json" }, body: JSON.stringify({ title: `Theirs ${locale}` }) });
      assert.equal(there.status, 200);
      world.wire.mend();
      await page.locator(".pill-bad", { hasText: needs }).waitFor({ timeout: 60_000 });
      const card = page.locator(".reader-head .write");
      await card.waitFor();
      const text = await card.innerText();
      for (const part of [said, `Mine ${locale}`, `Theirs ${locale}`]) assert.ok(text.includes(part), `${part} in ${text}`);
      assert.ok(!text.includes("{"), "no raw JSON");
      await page.goto(`${world.base}/#/state`);
      await page.locator(".banner-bad", { hasText: needs }).waitFor();
      if (pictures) await page.screenshot({ path: `${pictures}/conflict-${locale}.png` });
      await page.locator(".write").first().locator(".actions button").nth(locale === "en-US" ? 0 : 1).click();
      await page.locator(".pill-good, .pill-wait").waitFor({ timeout: 20_000 });
      const kept = locale === "en-US" ? "Mine" : "Theirs";
      const titleNow = async () => (await (await fetch(`${world.base}/webapi/v2/conversations/${encodeURIComponent(id)}`)).json()).title;
      for (const end = Date.now() + 20_000; !(await titleNow()).startsWith(kept); ) assert.ok(Date.now() < end, `${await titleNow()}, not ${kept}`);
    }));

test("comparing ends with a result", () =>
  open("#/state", {}, async (page) => {
    await page.locator(".banner button").click();
    await page.locator(".note", { hasText: /^Compared: / }).waitFor({ timeout: 20_000 });
    await page.locator(".days a[tabindex='0']").focus();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.locator("body[data-view=list] .results-head").waitFor();
  }));

test("all goes by keyboard", () =>
  open("", {}, async (page) => {
    await page.locator("a.row").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.locator(".reader h2").waitFor();
    await page.keyboard.press("?");
    await page.locator("dialog[open]").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.locator("body[data-view=list]").waitFor();
    await page.keyboard.press("s");
    await page.locator("body[data-view=state]").waitFor();
  }));

const views = { list: "", results: find("여행"), state: "#/state", reader: find("hostileanswer") };
const manners = { light: { colorScheme: "light" }, dark: { colorScheme: "dark", locale: "ja-JP" }, narrow: { viewport: { width: 360, height: 740 }, locale: "ko-KR" } };
for (const [view, hash] of Object.entries(views))
  for (const [manner, options] of Object.entries(manners))
    test(`${view}, ${manner}: no serious fault for who cannot see it all`, () =>
      open(hash, options, async (page) => {
        await page.locator(view === "state" ? ".tiles" : "a.row").first().waitFor();
        if (view === "reader") await openHit(page);
        if (pictures) await page.screenshot({ path: `${pictures}/${view}-${manner}.png` });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run());
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 150))}`), []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than the screen");
      }));
