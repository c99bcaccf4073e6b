// SPDX-License-Identifier: Apache-2.0
// What nobody should send and somebody will: one odd message, time or id takes neither a conversation nor a list away. And
// results of several pages, which follow what changes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeWorld } from "./world.mjs";

let world, id;
before(async () => {
  world = await makeWorld();
  id = (await ask("GET", "/mirror/v1/search?q=lighthouse")).results[0].conversationId;
});
after(() => world?.end());

async function ask(method, path, body) {
  const answer = await fetch(world.base + path, { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}
let renamed = 0;
const somethingChanges = () => ask("PUT", `/webapi/v2/conversations/${encodeURIComponent(id)}/title`, { title: `Renamed ${++renamed}` });

async function visit(act) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US" });
  const wrong = [];
  context.on("page", (page) => page.on("pageerror", (error) => wrong.push(error.stack)));
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  try {
    await act(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

test("one message of strange styles takes no other away", () =>
  visit(async (page) => {
    const draft = (style) => JSON.stringify({ blocks: [{ text: `styled ${style}`, type: style, inlineStyleRanges: [{ offset: 0, length: 6, style }] }] });
    const path = `/webapi/v2/conversations/${encodeURIComponent(id)}/chats`;
    const messages = ["first", draft("constructor"), draft("toString"), draft("__proto__"), '{"blocks":[{"text":"object","type":{"toString":1,"valueOf":1}}]}', "last"];
    const times = [1.7e12, 9e15, 1e300, -9e15, null, 1.7e12];
    const chats = messages.map((message, i) => ({ id: `m${i}\ud83d`, sender: i % 2 ? "constructor" : "USER", message, timestamp: times[i], citations: [{ title: { toString: 1 }, url: { toString: 1 }, text: { toString: 1 }, pageNo: { toString: 1 } }] }));
    await page.route(`**${path}?*`, (route) => route.fulfill({ json: { chats } }));
    await page.route(`**/webapi/v2/conversations/${encodeURIComponent(id)}?*`, (route) => route.fulfill({ json: { id, title: "odd", chatCount: chats.length } }));
    await page.goto(`${world.base}/#/c/${encodeURIComponent(id)}`);
    await page.locator(".message", { hasText: "last" }).waitFor();
    assert.deepEqual(await page.locator(".message").allInnerTexts(), ["first", "styled constructor", "styled toString", "styled __proto__", "object", "last"]);
  }));

test("one strange time or id takes no list away, and an address of no view is the list", () =>
  visit(async (page) => {
    await page.route(/\/webapi\/v2\/conversations\?pageSize=25/, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      const odd = [{ id: "odd time", title: "odd time", lastChatTime: 9e15 }, { id: "odd id \ud83d", title: "odd id", lastChatTime: 1.7e12 }, { id: "odd chat", title: "odd chat", chats: [{ id: "x", message: { blocks: [{ text: "words", type: "constructor" }] } }], lastChatTime: 1.7e12 }];
      await route.fulfill({ response: answer, json: { ...body, conversations: [...odd, ...body.conversations] } });
    });
    await page.goto(`${world.base}/#/constructor`);
    await page.locator(".side a.row").nth(5).waitFor();
    for (const title of ["odd time", "odd id", "odd chat", "line 0 of a long talk"]) await page.locator(".side .row-title", { hasText: title }).waitFor();
  }));

/** A search that finds `all` of these, three pages at most, newest first. */
async function finds(page, all) {
  const asked = [];
  await page.route(/\/mirror\/v1\/search/, (route) => {
    const url = new URL(route.request().url());
    const at = Number(url.searchParams.get("cursor") ?? 0);
    asked.push(at);
    const results = all.slice(at, at + 30).map((name) => ({ conversationId: name, chatId: "x", title: name, user: "u", sender: "USER", snippet: "word", timestamp: "2026-01-05T00:00:00Z", matchesInConversation: 1, rating: null }));
    const next = at + 30 < all.length ? String(at + 30) : null;
    return route.fulfill({ json: { total: all.length, totalExact: true, conversations: all.length, results, next, unknownFilters: [], coverage: { complete: true }, index: { complete: true } } });
  });
  return asked;
}
const names = (page) => page.locator(".side .row-title").evaluateAll((all) => all.map(({ textContent }) => textContent));
const shows = (page, wanted) => page.waitForFunction((wanted) => JSON.stringify([...document.querySelectorAll(".side .row-title")].map(({ textContent }) => textContent)) === JSON.stringify(wanted), wanted);
const numbered = (from, to) => Array.from({ length: to - from }, (_, i) => `c${from + i}`);

test("results of more than a page follow what changes, without one of them twice", () =>
  visit(async (page) => {
    const all = numbered(0, 30);
    await finds(page, all);
    await page.goto(`${world.base}/#/?q=word`);
    await shows(page, all);
    await page.locator(".foot .end").waitFor();

    all.unshift("new1", "new2"); // one page becomes two
    await somethingChanges();
    await page.waitForFunction(() => document.querySelector(".side .row-title").textContent === "new1");
    await page.locator(".side a.row").last().scrollIntoViewIfNeeded();
    await shows(page, all);
    await page.locator(".foot .end").waitFor();

    const held = page.locator(".side a.row", { hasText: /^c3/ });
    await held.focus();
    all.unshift("new3");
    await somethingChanges();
    await shows(page, all);
    assert.equal(await page.evaluate(() => document.activeElement.querySelector(".row-title").textContent), "c3");

    all.splice(1, 5); // and one again
    await somethingChanges();
    await shows(page, all);
    await page.evaluate(() => (document.querySelector(".side").scrollTop = 1e6));
    await page.locator(".foot .end").waitFor();
    assert.deepEqual(await names(page), all);
  }));

test("of very many results those in front follow, and the others stay", () =>
  visit(async (page) => {
    const all = numbered(0, 400);
    const asked = await finds(page, all);
    await page.goto(`${world.base}/#/?q=word`);
    await shows(page, all.slice(0, 30));
    for (let shown = 30; shown < 390; shown += 30) {
      await page.evaluate(() => (document.querySelector(".side").scrollTop = 1e7));
      await page.waitForFunction((count) => document.querySelectorAll(".side a.row").length > count, shown);
    }
    const [before, count] = [asked.length, (await names(page)).length];
    all.unshift("new1");
    await somethingChanges();
    await page.waitForFunction(() => document.querySelector(".side .row-title").textContent === "new1");
    const again = asked.slice(before).filter((at) => at < 300); // what follows may be asked for by the scrolling
    assert.deepEqual([new Set(again).size, again.length % 10], [10, 0]);
    const now = await names(page);
    assert.deepEqual(now.slice(0, 300), all.slice(0, 300));
    assert.ok(now.length >= count);
    assert.equal(new Set(now).size, now.length);
  }));

const listed = /\/webapi\/v2\/conversations\?pageSize=25/;

test("conversations without a message stay where the service has them, and a list that is a part says so", () =>
  visit(async (page) => {
    let detail = "offline-partial";
    await page.route(listed, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      const json = { ...body, conversations: [{ id: "empty", title: "without a message", lastChatTime: null, chats: [] }, ...body.conversations] };
      await route.fulfill({ headers: { "cache-status": `alli-mirror; hit; detail=${detail}` }, json });
    });
    await page.goto(world.base);
    await page.locator(".list-hint", { hasText: "there may be more" }).waitFor();
    assert.equal((await names(page))[0], "without a message");
    detail = "fresh";
    await somethingChanges();
    await page.locator(".side .row-title", { hasText: `Renamed ${renamed}` }).waitFor();
    assert.equal((await names(page))[0], "without a message");
    await page.locator(".list-hint").waitFor({ state: "hidden" });
  }));

test("a conversation that was gone is shown when it is there again", () =>
  visit(async (page) => {
    let isGone = true;
    await page.route(`**/webapi/v2/conversations/${encodeURIComponent(id)}?*`, (route) => (isGone ? route.fulfill({ status: 404, json: { message: "gone" } }) : route.continue()));
    await page.goto(`${world.base}/#/c/${encodeURIComponent(id)}`);
    await page.locator(".reader", { hasText: "not there" }).waitFor();
    isGone = false;
    await somethingChanges();
    await page.locator(".chat .message").first().waitFor();
    isGone = true;
    await somethingChanges();
    await page.locator(".reader", { hasText: "not there" }).waitFor();
    isGone = false;
    await somethingChanges();
    await page.locator(".chat .message").first().waitFor();
  }));

test("before it is taken along an export says what it lacks", () =>
  visit(async (page) => {
    await page.route(/\/mirror\/v1\/search/, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), coverage: { complete: false, from: null }, unknownFilters: [{ filter: "user", value: "x", valid: [], asWords: false }] } });
    });
    await page.goto(`${world.base}/#/?q=lighthouse`);
    await page.locator(".side a.row").first().waitFor();
    await page.getByRole("button", { name: "Export" }).click();
    const dialog = page.getByRole("dialog", { name: "Export" });
    await dialog.locator(".hint-wrong", { hasText: "there may be more" }).waitFor();
    await dialog.locator(".hint-wrong", { hasText: "user:x" }).waitFor();
    assert.equal(await dialog.locator(".exports a").count(), 3);
    await page.goto(`${world.base}/#/?q=${"lighthouse".repeat(900)}`);
    await page.reload();
    await page.getByRole("button", { name: "Export" }).click();
    await dialog.locator(".hint-wrong", { hasText: "too long" }).waitFor();
    assert.equal(await dialog.locator(".exports a").count(), 0);
  }));
