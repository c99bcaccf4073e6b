// SPDX-License-Identifier: Apache-2.0
// An analyst's day, in each language: in with a token; last week's badly rated answers of one app, among older ones; three
// of them read; one rating put right, one conversation renamed; all exported; a link for a colleague whose token only
// reads; and the counts follow what she and others do, in what she looks at.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { makeWorld } from "./world.mjs";

const axe = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const pictures = process.env.ALLI_PICTURES;
const day = 86_400;
const dialogues = Array.from({ length: 48 }, (_, n) => [
  `rated${n}`,
  [[`refund question ${n} 환불 返金`, null], [`**answer** ${n}, badly put`, false], ["thanks", null], ["you are welcome", true], ["and then?", null], [`answer ${n} that nobody rated`, null]],
  Math.round(n < 32 ? day * (0.1 + n * 0.17) : day * (9 + (n - 32) * 2)), // within the last week, and before
]);
let world, app;
const token = {};
before(async () => {
  world = await makeWorld({ ALLI_MIRROR_PROXY_AUTH: "api-key" }, dialogues);
  for (const [name, scope] of [["analyst", "write"], ["colleague", "read"]]) token[name] = JSON.parse(world.run("token", "new", name, "--scope", scope, "--json")).token;
  const { rows } = await insights(`?from=${weekAgo()}&tz=Asia/Seoul`);
  const all = await insights("");
  const older = ({ key, bad }) => all.rows.find((row) => row.by === "app" && row.key === key).bad > bad;
  app = rows.filter((row) => row.by === "app" && row.bad >= 5 && older(row)).sort((a, b) => b.bad - a.bad)[0];
  assert.ok(app, "an app with five badly rated answers of last week, and older ones");
});
after(() => world?.end());

const weekAgo = () => new Date(Date.now() + (9 * 3600 - 7 * day) * 1000).toISOString().slice(0, 10); // in Seoul
const badOfTheWeek = async () => (await insights(`?from=${weekAgo()}&tz=Asia/Seoul&app=${encodeURIComponent(app.key)}`)).totals.bad;

/** Somebody else rates an answer of last week that nobody had rated. */
async function rateBad() {
  const headers = { "API-KEY": "sandbox" };
  const q = encodeURIComponent(`rating:none sender:bot app:"${app.name}" after:6d "nobody rated"`);
  const { results } = await (await fetch(`${world.base}/mirror/v1/search?limit=1&q=${q}`, { headers })).json();
  const [{ conversationId, chatId }] = results;
  const rated = await fetch(`${world.base}/webapi/v2/conversations/${encodeURIComponent(conversationId)}/chats/${encodeURIComponent(chatId)}/feedback`, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify({ rating: false }) });
  assert.equal(rated.status, 200);
}

const insights = async (query = "") => (await fetch(`${world.base}/mirror/v1/insights${query}`, { headers: { "API-KEY": "sandbox" } })).json();

async function visit(options, act) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, timezoneId: "Asia/Seoul", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: world.base });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.stack));
  page.on("console", (message) => /Content Security Policy/.test(message.text()) && wrong.push(message.text()));
  try {
    await act(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

async function signIn(page, hash, secret) {
  await page.goto(`${world.base}/${hash}`);
  await page.locator("#token").fill(secret);
  await page.keyboard.press("Enter");
}

async function noSeriousFault(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 150))}`), []);
}

/** A CSV as rows of fields. */
function readCsv(text) {
  const rows = [[""]];
  for (const [part, quoted] of text.matchAll(/"((?:[^"]|"")*)"|[^,\r\n"]+|,|\r\n/g)) {
    if (part === ",") rows.at(-1).push("");
    else if (part === "\r\n") rows.push([""]);
    else rows.at(-1)[rows.at(-1).length - 1] = quoted === undefined ? part : quoted.replaceAll('""', '"');
  }
  return rows.slice(0, -1);
}

const said = {
  "en-US": { noEnglish: /$^/, found: /^\d+ match(es)? in \d+ conversations?$/ },
  "ko-KR": { noEnglish: /\b(match|conversation|rating|answer rated|export)\b/i, found: /^대화 \d+개에서 \d+건 일치$/ },
  "ja-JP": { noEnglish: /\b(match|conversation|rating|answer rated|export)\b/i, found: /^\d+ 件の会話で \d+ 件一致$/ },
};

for (const [locale, words] of Object.entries(said))
  test(`the day, ${locale}`, () =>
    visit({ locale }, async (page) => {
      await signIn(page, "", token.analyst);
      await page.locator(".side a.row").first().waitFor();
      await page.locator(".side .rated-bad").first().waitFor();

      // Search: badly rated answers of one app, of the last week.
      const bad = await badOfTheWeek();
      const sum = page.locator(".results-head .sum");
      /** Until that many matches are said, with as many rows as conversations. */
      const shows = (count) => page.waitForFunction((wanted) => {
        const said = document.querySelector(".results-head .sum")?.innerText.match(/\d+/g) ?? [];
        return Math.max(...said) === wanted && document.querySelectorAll(".side a.row").length === Math.min(...said);
      }, count);
      await page.keyboard.press("/");
      await page.keyboard.type(`rating:bad after:7d app:"${app.name}" `);
      assert.equal(await page.locator(".chips button.chip:not(.chip-add)").count(), 3);
      await shows(bad); // none that is older
      assert.match(await sum.innerText(), words.found);
      assert.doesNotMatch(await page.locator(".results-head").innerText(), words.noEnglish);
      if (pictures) await page.screenshot({ path: `${pictures}/day-results-${locale}.png` });
      await noSeriousFault(page);

      // Read three: of the first the conversation is renamed, of the third the rating put right.
      await page.locator("#search").focus();
      await page.keyboard.press("Enter");
      const seen = new Set();
      for (let n = 0; n < 3; ++n) {
        await page.locator(`.chat-target .rate[aria-pressed="true"] .icon-thumbdown`).waitFor();
        const chat = await page.locator(".chat-target").getAttribute("data-chat");
        seen.add(chat);
        if (n === 0) {
          await page.keyboard.press("e");
          await page.locator(".title-form input").fill(`Looked at, ${locale}`);
          await page.keyboard.press("Enter");
          await page.locator(".title h2", { hasText: `Looked at, ${locale}` }).waitFor();
          assert.match(await page.title(), /Looked at/);
        }
        if (n === 2) break;
        await page.locator(".reader").focus().catch(() => {});
        await page.keyboard.press("b");
        await page.waitForFunction((was) => document.querySelector(".chat-target")?.dataset.chat !== was && document.querySelector(".chat-target"), chat);
      }
      assert.equal(seen.size, 3);
      if (pictures) await page.screenshot({ path: `${pictures}/day-reader-${locale}.png` });
      const before = (await insights()).totals;
      await page.locator(".chat-target .rate").first().click();
      await page.locator(`.chat-target .rate[aria-pressed="true"] .icon-up`).waitFor();
      await shows(bad - 1); // beside what is read, without a hand
      const after = (await insights()).totals;
      assert.deepEqual([after.bad, after.good], [before.bad - 1, before.good + 1]);

      // A link for a colleague.
      await page.locator(".chat-target .takes button").first().click();
      const link = await (await page.waitForFunction(() => navigator.clipboard.readText())).jsonValue();
      const target = await page.locator(".chat-target").getAttribute("data-chat");
      await visit({ locale }, async (other) => {
        await signIn(other, link.slice(world.base.length + 1), token.colleague);
        await other.locator(".chat-target").waitFor();
        assert.equal(await other.locator(".chat-target").getAttribute("data-chat"), target);
        await other.locator(".chat-target .rate").first().click();
        await other.locator(".note-bad").waitFor(); // a token that only reads
      });

      // Export.
      await page.keyboard.press("Escape");
      await sum.waitFor();
      await page.locator(".tools button:visible").first().click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".exports a").first().click()]);
      const csv = readFileSync(await download.path(), "utf8");
      assert.ok(csv.startsWith("\ufeffconversationId,title,userId,userName,appId,appName,category,state,assignee,channel,createdAt,chatId,ordinal,sender,time,message,rating,agentRating,feedbackSelection,suggestedAnswer,citations\r\n"));
      const [head, ...rows] = readCsv(csv.slice(1));
      const column = (row, name) => row[head.indexOf(name)];
      for (const row of rows) {
        assert.equal(row.length, head.length);
        assert.equal(column(row, "appName"), app.name);
        assert.match(column(row, "time"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+09:00$/);
        assert.ok(column(row, "time") >= weekAgo(), "last week's");
        assert.ok(Date.parse(column(row, "time")) <= Date.now());
      }
      assert.equal(rows.filter((row) => column(row, "rating") === "bad").length, bad - 1);
      assert.ok(rows.some((row) => column(row, "title") === `Looked at, ${locale}`));
      for (const row of rows.filter((row) => seen.has(column(row, "chatId")))) assert.equal(column(row, "rating"), column(row, "chatId") === target ? "good" : "bad");
      assert.ok(rows.some((row) => /환불 返金/.test(column(row, "message"))));

      // Another rates one: the list that she looks at has it, and so have the figures of that app and that week.
      await rateBad();
      await shows(bad);
      await page.keyboard.press("i");
      await page.locator(".insights .chooser nav a").first().click();
      await page.locator(".insights .figures a", { hasText: app.name }).first().click();
      await page.locator(".insights .chooser .chip").waitFor();
      for (const chip of [".insights .chooser .chip", ".chips .chip:not(.chip-add)"]) await page.locator(chip, { hasText: app.name }).waitFor(); // by its name, whatever it is asked by
      const tile = page.locator(".tiles .tile").nth(3).locator("dd a");
      await tile.waitFor();
      await page.waitForFunction((count) => document.querySelectorAll(".tiles .tile")[3]?.querySelector("dd a")?.innerText === String(count), bad);
      await rateBad();
      await page.waitForFunction((count) => document.querySelectorAll(".tiles .tile")[3]?.querySelector("dd a")?.innerText === String(count), bad + 1);
      if (pictures) await page.screenshot({ path: `${pictures}/day-figures-${locale}.png` });
    }));

for (const locale of Object.keys(said))
  test(`figures follow a rating that another makes, and lead to the answers that they count, ${locale}`, () =>
    visit({ locale }, async (page) => {
      await signIn(page, "#/insights", token.colleague);
      const bad = page.locator(".tiles .tile").nth(3).locator("dd a");
      await bad.waitFor();
      const count = Number(await bad.innerText());
      const { results } = await (await fetch(`${world.base}/mirror/v1/search?q=rating%3Anone%20sender%3Abot&limit=1`, { headers: { "API-KEY": "sandbox" } })).json();
      const [{ conversationId, chatId }] = results;
      const rated = await fetch(`${world.base}/webapi/v2/conversations/${encodeURIComponent(conversationId)}/chats/${encodeURIComponent(chatId)}/feedback`, { method: "POST", headers: { "API-KEY": "sandbox", "Content-Type": "application/json" }, body: JSON.stringify({ rating: false }) });
      assert.equal(rated.status, 200);
      await page.locator(".tiles .tile").nth(3).locator("dd a", { hasText: new RegExp(`^${count + 1}$`) }).waitFor();
      await bad.click();
      await page.locator(".side .rated-bad").first().waitFor();
      assert.doesNotMatch(await page.locator(".chips").innerText(), /rating/);
    }));

for (const options of [{ colorScheme: "light", locale: "en-US" }, { colorScheme: "dark", locale: "ja-JP" }, { viewport: { width: 360, height: 740 }, locale: "ko-KR" }])
  test(`figures, ${JSON.stringify(options)}: no serious fault for who cannot see them all`, () =>
    visit(options, async (page) => {
      await signIn(page, "#/insights?days=0", token.colleague);
      await page.locator(".tiles").waitFor();
      if (pictures) await page.screenshot({ path: `${pictures}/insights-${options.locale}.png`, fullPage: true });
      await noSeriousFault(page);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than the screen");
    }));

test("a wrong token is said at the door, and the door has no serious fault", () =>
  visit({ locale: "en-US" }, async (page) => {
    await signIn(page, "", "nonsense");
    await page.locator("#wrong:not([hidden])").waitFor();
    await noSeriousFault(page);
  }));
