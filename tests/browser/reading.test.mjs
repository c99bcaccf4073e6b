// SPDX-License-Identifier: Apache-2.0
// Reading while the world goes on: what was written is what is shown, what was found is what is marked, and focus,
// selection and what was unfolded stay where they are. One stream for all tabs; a conversation on paper is whole.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { longCode, makeWorld, written } from "./world.mjs";

let world, ids;
before(async () => {
  world = await makeWorld();
  ids = {};
  for (const word of ["writtenword", "paperline", "lighthouse", "marksquestion", "codequestion"]) ids[word] = (await ask("GET", `/mirror/v1/search?q=${word}`)).results[0].conversationId;
});
after(() => world?.end());

async function ask(method, path, body) {
  const answer = await fetch(world.base + path, { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}
const rename = (id, title) => ask("PUT", `/webapi/v2/conversations/${encodeURIComponent(id)}/title`, { title });
let app;
async function say(id, message, mode = "sync") {
  app ??= ((found) => (found.apps ?? found)[0].id)(await ask("GET", "/webapi/apps"));
  return ask("POST", `/webapi/apps/${encodeURIComponent(app)}/run`, { mode, conversationId: id, isStateful: true, chat: { message } });
}

async function visit(act, options = {}) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
  const wrong = [];
  context.on("page", (page) => page.on("pageerror", (error) => wrong.push(error.stack)));
  try {
    await act(await context.newPage(), context);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}
const at = (id, q = "", chat = "") => `${world.base}/#/c/${encodeURIComponent(id)}${q ? `?q=${encodeURIComponent(q)}${chat}` : ""}`;
async function openHit(page, q) {
  await page.goto(`${world.base}/#/?q=${encodeURIComponent(q)}`);
  await page.locator(".side a.row", { has: page.locator("mark") }).first().click();
  await page.locator(".chat-target").waitFor();
}

test("what people wrote is what is shown", () =>
  visit(async (page) => {
    await openHit(page, "writtenanswer");
    const shown = (await page.locator(".chat-target .message").innerText()).replace(/\n+/g, "\n");
    for (const line of written.split(/\n+/)) assert.ok(shown.includes(line.replace("&amp;", "&")), `${line} in ${shown}`);
    const links = await page.locator(".chat-target .message a").evaluateAll((all) => all.map(({ href }) => decodeURI(href)));
    assert.deepEqual(links, ["https://example.com/", "https://ja.wikipedia.org/wiki/東京"]);
  }));

test("a long code block stays code, and a hit behind it is in sight", () =>
  visit(async (page) => {
    await openHit(page, "deepneedle");
    const mark = page.locator(".chat-target mark", { hasText: "deepneedle" });
    await mark.waitFor();
    await page.waitForFunction(() => {
      const { top, bottom } = document.querySelector(".chat-target mark").getBoundingClientRect();
      const frame = document.querySelector(".timeline").getBoundingClientRect();
      return top >= frame.top && bottom <= frame.bottom;
    });
    const code = await page.locator(".chat-target pre").evaluateAll((all) => all.map(({ textContent }) => textContent).join(""));
    assert.equal(code, longCode);
    await page.goto(at(ids.codequestion));
    await page.locator(".more").waitFor();
    assert.equal(await page.locator(".message em, .message strong").count(), 0);
    await page.locator(".more").click();
    await page.locator(".message em", { hasText: "here" }).waitFor();
    assert.equal(await page.locator(".chat-bot pre, .chat-other pre").evaluateAll((all) => all.map(({ textContent }) => textContent).join("")), longCode);
  }));

test("a hit in a source is opened, however far down it stands", () =>
  visit(async (page) => {
    const path = `/webapi/v2/conversations/${encodeURIComponent(ids.marksquestion)}/chats`;
    const { chats } = await ask("GET", path);
    chats[0].citations = [{ title: "Handbook", text: `${"far ".repeat(1500)} deepcite` }];
    // It changes while it is fetched, and the page hears of that: it is not begun anew.
    let changes = true;
    await page.route(`**${path}?*`, async (route) => {
      if (changes) {
        changes = false;
        const isHeard = page.waitForRequest(/\/mirror\/v1\/search/);
        await rename(ids.marksquestion, "Marked");
        await isHeard;
      }
      await route.fulfill({ json: { chats } });
    });
    await page.goto(at(ids.marksquestion, "deepcite", `&chat=${encodeURIComponent(chats[0].id)}`));
    await page.locator(".chat-target .sources[open] mark", { hasText: "deepcite" }).waitFor();
    await page.goto(at(ids.marksquestion, "far"));
    await page.locator(".sources summary").click();
    await page.locator(".source-text .more").click();
    await page.waitForFunction(() => document.querySelectorAll(".source-text mark").length >= 1500);
  }));

test("what is marked is what was found", () =>
  visit(async (page) => {
    for (const [q, marks] of [["marksquestion OR cafe", ["café"]], ["marksquestion OR don't", ["don’t"]], ["marksquestion OR cat", ["cat"]], ["marksquestion OR 여행", ["여", "행"]], ["marksquestion OR concat*", ["concatenate", "con", "cat", "enate"]], ["marksquestion OR ncat", []]]) {
      await page.goto(at(ids.marksquestion, q));
      await page.locator(".chat mark", { hasText: "marksquestion" }).waitFor();
      const found = await page.locator(".chat", { hasText: "café" }).locator(".message mark").allInnerTexts();
      assert.deepEqual(found, marks, q);
    }
  }));

test("the focus stays in a list whose conversations change", () =>
  visit(async (page) => {
    await page.goto(world.base);
    await page.locator(".side a.row").nth(3).waitFor();
    const row = page.locator(".side a.row").nth(3);
    await row.focus();
    await row.evaluate((node) => (window.held = node));
    for (let i = 0; i < 3; ++i) {
      await rename(ids.lighthouse, `Changed ${i}`);
      await say(ids.marksquestion, `one more ${i}`); // moves to the top
      await page.locator(".side .row-title", { hasText: `Changed ${i}` }).waitFor();
      assert.ok(await page.evaluate(() => document.activeElement === window.held && window.held.isConnected), "the focus is lost");
    }
    const order = await page.locator(".side time").evaluateAll((all) => all.map(({ dateTime }) => dateTime));
    assert.deepEqual(order, [...order].sort().reverse());
  }));

test("the focus of a row that is deleted goes to its neighbour", () =>
  visit(async (page) => {
    await page.goto(world.base);
    const { result, conversation = result?.conversation } = await say(undefined, "to be deleted");
    const row = page.locator(`.side a.row[href*="${encodeURIComponent(conversation.id)}"]`);
    await row.focus();
    assert.equal((await fetch(`${world.base}/webapi/v2/conversations/${encodeURIComponent(conversation.id)}`, { method: "DELETE" })).ok, true);
    await row.waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement.className), "row");
  }));

test("rows, selection, unfolded text and focus stay in a conversation that grows", () =>
  visit(async (page) => {
    await page.goto(at(ids.codequestion));
    await page.locator(".more").click();
    await page.locator(".message em", { hasText: "here" }).waitFor();
    await page.evaluate(() => {
      const rows = [...document.querySelectorAll(".chat")];
      window.rows = rows.slice(0, 2);
      for (const row of window.rows) row.querySelector(".chat-foot").before(Object.assign(document.createElement("details"), { className: "probe", open: true }));
      const text = document.querySelector(".message em").firstChild;
      getSelection().setBaseAndExtent(text, 0, text, 4);
      document.querySelector(".facts a").focus({ preventScroll: true });
      window.held = document.activeElement;
    });
    await say(ids.codequestion, "growingword and more");
    await page.locator('.chat[aria-setsize="4"]').first().waitFor({ state: "attached" });
    await rename(ids.codequestion, "Grown");
    await page.locator(".title h2", { hasText: "Grown" }).waitFor();
    const now = await page.evaluate(() => ({
      same: window.rows.every((row) => row.isConnected && row.querySelector(".probe").open),
      selected: String(getSelection()),
      held: document.activeElement === window.held,
      unfolded: document.querySelector(".message em")?.textContent,
    }));
    assert.deepEqual(now, { same: true, selected: "here", held: true, unfolded: "here" });
  }));

test("an answer that is being written grows in its row", () =>
  visit(async (page) => {
    await page.goto(at(ids.lighthouse));
    await page.locator(".chat").first().waitFor();
    await say(ids.lighthouse, "tell me more, slowly", "background");
    const last = page.locator(".chat", { has: page.locator(".badge-wait") });
    await last.waitFor({ timeout: 10_000 });
    await last.evaluate((node) => (window.growing = node));
    await page.waitForFunction(() => !window.growing.querySelector(".badge-wait"), null, { timeout: 20_000 });
    assert.ok(await page.evaluate(() => window.growing.isConnected && window.growing.querySelector(".message").textContent.length > 0));
  }));

test("the state view keeps the focus while it is told of changes", () =>
  visit(async (page) => {
    await page.goto(`${world.base}/#/state`);
    await page.locator(".banner button").focus();
    for (let i = 0; i < 2; ++i) {
      const told = page.waitForResponse((answer) => answer.url().includes("/mirror/v1/status"));
      await rename(ids.lighthouse, `While the state is looked at ${i}`);
      await told;
    }
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Compare now");
  }));

test("eight tabs share one stream, and another takes it over when its tab goes", () =>
  visit(async (first, context) => {
    const streams = [];
    context.on("request", (request) => request.resourceType() === "eventsource" && streams.push(request));
    await first.goto(world.base);
    const pages = [first];
    while (pages.length < 8) pages.push(await context.newPage());
    for (const page of pages.slice(1)) await page.goto(world.base, { timeout: 10_000 });
    for (const page of pages) await page.locator(".side a.row").first().waitFor({ timeout: 10_000 });
    assert.equal(streams.length, 1);
    await pages[7].goto(`${world.base}/#/?q=harbour`);
    await pages[7].locator(".snippet mark").first().waitFor({ timeout: 5000 });
    await pages[7].goto(`${world.base}/#/`);
    await rename(ids.lighthouse, "Told to all");
    for (const page of pages) await page.locator(".row-title", { hasText: "Told to all" }).waitFor({ timeout: 5000 });
    await first.close();
    await pages[1].waitForFunction(async () => (await navigator.locks.query()).held.length === 1);
    await rename(ids.lighthouse, "And again");
    for (const page of pages.slice(1)) await page.locator(".row-title", { hasText: "And again" }).waitFor({ timeout: 10_000 });
    assert.equal(streams.length, 2);
  }));

test("where there are no locks only tabs that are seen hold a stream", () =>
  visit(async (page) => {
    await page.addInitScript(() => {
      Object.defineProperty(navigator, "locks", { value: undefined });
      let hidden = false;
      Object.defineProperty(document, "hidden", { get: () => hidden });
      window.hide = (value) => ((hidden = value), document.dispatchEvent(new Event("visibilitychange")));
      const Real = window.EventSource;
      window.sources = [];
      window.EventSource = class extends Real {
        constructor(...args) {
          super(...args);
          window.sources.push(this);
        }
      };
    });
    await page.goto(world.base);
    await page.locator(".side a.row").first().waitFor();
    const open = () => page.evaluate(() => window.sources.filter(({ readyState }) => readyState !== 2).length);
    assert.equal(await open(), 1);
    await page.evaluate(() => window.hide(true));
    assert.equal(await open(), 0);
    await rename(ids.lighthouse, "While nobody looked");
    await page.evaluate(() => window.hide(false));
    assert.equal(await open(), 1);
    await page.locator(".row-title", { hasText: "While nobody looked" }).waitFor();
  }));

test("tabs have names, and no view is higher than the window", () =>
  visit(async (page) => {
    await rename(ids.marksquestion, "A name of its own");
    for (const [hash, name] of [["", "Conversations"], ["?q=harbour", "harbour"], ["state", "State of the mirror"], [`c/${encodeURIComponent(ids.marksquestion)}`, "A name of its own"]]) {
      await page.goto(`${world.base}/#/${hash}`);
      await page.waitForFunction((wanted) => document.title === `${wanted} – alli-mirror`, name, { timeout: 5000 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight), `${hash}: a second scroll bar`);
    }
  }));

test("a conversation of 300 messages is printed whole", () =>
  visit(async (page) => {
    await page.goto(at(ids.paperline));
    await page.locator(".chat").first().waitFor();
    await page.evaluate(() => addEventListener("beforeprint", () => {
      const sheet = document.querySelector(".printed");
      window.sheet = { count: sheet.querySelectorAll(".chat").length, head: sheet.querySelector("dl").innerText, title: sheet.querySelector("h1").innerText, first: sheet.querySelector(".chat").innerText, last: [...sheet.querySelectorAll(".chat")].at(-1).innerText };
    }));
    const session = await page.context().newCDPSession(page);
    const { data } = await session.send("Page.printToPDF", { generateTaggedPDF: true });
    const pdf = Buffer.from(data, "base64").toString("latin1");
    const sheet = await page.evaluate(() => window.sheet);
    assert.equal(sheet.count, 300);
    assert.match(sheet.first, /paperline 0/);
    assert.match(sheet.last, /paperline 299/);
    assert.ok(sheet.head.includes(at(ids.paperline)), sheet.head);
    assert.match(sheet.head, /300 messages/);
    assert.match(sheet.first, /\d:\d\d/);
    assert.equal((pdf.match(/\/S\s*\/Art\b/g) ?? []).length, 300, "articles in the PDF");
    assert.ok((pdf.match(/\/Type\s*\/Page\b/g) ?? []).length > 10);
    await page.waitForFunction(() => !document.querySelector(".printed"));
  }));

test("a day in a filter is the reader's own, and its zone is said", () =>
  visit(async (page) => {
    const asked = page.waitForRequest((request) => request.url().includes("/mirror/v1/search"));
    await page.goto(`${world.base}/#/?q=${encodeURIComponent("after:2026-01-05 harbour")}`);
    assert.equal(new URL((await asked).url()).searchParams.get("q"), "after:2026-01-04T23:59:59.999999+09:00 harbour");
    assert.equal(await page.locator(".chip", { hasText: "2026-01-05" }).getAttribute("title"), "Days are those of Asia/Seoul");
    assert.match(await page.locator(".results-head").innerText(), /Days are those of Asia\/Seoul/);
  }, { timezoneId: "Asia/Seoul" }));
