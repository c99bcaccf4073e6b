// SPDX-License-Identifier: Apache-2.0
// All at once: eight tabs, conversations that change all the while, and somebody who types filters and queries of three
// languages key by key and edits them in the middle. Focus, caret, selection and what was unfolded stay.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeTypist } from "./typing.mjs";
import { makeWorld } from "./world.mjs";

let world;
before(async () => (world = await makeWorld()));
after(() => world?.end());

async function ask(method, path, body) {
  const answer = await fetch(world.base + path, { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}
const idOf = async (word) => (await ask("GET", `/mirror/v1/search?q=${word}`)).results[0].conversationId;

/** Changes something all the while, until it is told to end; gives how often. */
function makeChurn(renamed, grown) {
  let ended = false;
  const done = (async () => {
    const found = await ask("GET", "/webapi/apps");
    const app = (found.apps ?? found)[0].id;
    let count = 0;
    for (; !ended; ++count) {
      await ask("PUT", `/webapi/v2/conversations/${encodeURIComponent(renamed)}/title`, { title: `Changed ${count}` });
      if (count % 3 === 0) await ask("POST", `/webapi/apps/${encodeURIComponent(app)}/run`, { mode: "background", conversationId: grown, isStateful: true, chat: { message: `churn ${count}` } });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return count;
  })();
  return () => ((ended = true), done);
}

const field = (page) => page.evaluate(() => {
  const input = document.getElementById("search");
  return { value: input.value, caret: input.selectionStart, focused: document.activeElement === input, q: new URLSearchParams(location.hash.split("?")[1] ?? "").get("q") ?? "", chips: [...document.querySelectorAll(".chip:not(.chip-add)")].map((chip) => chip.textContent) };
});

const queries = [
  { hangul: "여행" }, { hangul: "바다" }, { hangul: "종이에" }, { hangul: "찾아볼게요" },
  { kana: ["お", "おn", "おん", "おんs", "おんせ", "おんせん"], word: "温泉" }, { kana: ["や", "やd", "やど"], word: "宿" }, { kana: ["あ", "あん", "あんな", "あんない"], word: "案内" },
  { latin: "harbour" }, { latin: "lighthouse" }, { latin: "talk" },
];

test("one types, others change, and all stays in its place", async () => {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US" });
  const wrong = [];
  context.on("page", (page) => page.on("pageerror", (error) => wrong.push(error.stack)));
  const streams = [];
  context.on("request", (request) => request.resourceType() === "eventsource" && streams.push(request));
  const pages = [];
  for (let i = 0; i < 8; ++i) {
    pages.push(await context.newPage());
    await pages[i].goto(world.base, { timeout: 10_000 });
  }
  const [reader, lister] = pages;
  const typed = pages[7];
  const code = await idOf("codequestion");

  await reader.bringToFront();
  await reader.goto(`${world.base}/#/c/${encodeURIComponent(code)}`);
  await reader.locator(".more").click();
  await reader.locator(".message em", { hasText: "here" }).waitFor();
  await reader.evaluate(() => {
    const text = document.querySelector(".message em").firstChild;
    getSelection().setBaseAndExtent(text, 0, text, 4);
    document.querySelector(".facts a").focus({ preventScroll: true });
    window.held = [document.activeElement, document.querySelector(".chat")];
  });
  await lister.locator(".side a.row").nth(2).focus();
  await lister.evaluate(() => (window.held = document.activeElement));

  const end = makeChurn(await idOf("lighthouse"), code);
  await typed.bringToFront();
  await typed.locator("#search").focus();
  const typist = await makeTypist(typed, 5);

  for (const { hangul, kana, latin, word } of queries) {
    if (hangul) await typist.hangul(hangul), await typist.settle([...hangul].at(-1));
    if (kana) await typist.kana(...kana, word), await typist.settle(word);
    if (latin) await typist.latin(latin);
    const text = hangul ?? word ?? latin;
    await typed.locator(".snippet mark", { hasText: text }).first().waitFor({ timeout: 5000 });
    await typist.key("ArrowLeft", "ArrowLeft", 37);
    await typist.latin("x ");
    const now = await field(typed);
    const edited = `${text.slice(0, -1)}x ${text.slice(-1)}`;
    assert.deepEqual([now.value, now.caret, now.focused], [edited, edited.length - 1, true]);
    for (let i = 0; i < edited.length - 1; ++i) await typist.key("Backspace", "Backspace", 8);
    await typist.key("Delete", "Delete", 46);
    assert.equal((await field(typed)).value, "");
  }

  const filters = [["user:mina ", "User mina"], ['app:"Help desk" ', "App Help desk"], ["category:refunds ", "Category refunds"], ["sender:BOT ", "Sender Bot"], ["after:2026-01-05 ", "After 2026-01-05"], ["before:2026-12-31 ", "Before 2026-12-31"]];
  await typist.latin("tail");
  for (let i = 0; i < 4; ++i) await typist.key("ArrowLeft", "ArrowLeft", 37);
  for (const [index, [text]] of filters.entries()) {
    await typist.latin(text);
    const now = await field(typed);
    assert.deepEqual([now.value, now.caret, now.focused, now.chips], ["tail", 0, true, filters.slice(0, index + 1).map(([, chip]) => chip)]);
  }
  await typed.waitForFunction(() => location.hash.includes("before%3A2026-12-31"));
  assert.equal((await field(typed)).q, 'user:mina app:"Help desk" category:refunds sender:BOT after:2026-01-05 before:2026-12-31 tail');

  assert.ok((await end()) > 10, "too little changed");
  assert.equal(streams.length, 1);
  const read = await reader.evaluate(() => ({ held: document.activeElement === window.held[0], row: window.held[1].isConnected, selected: String(getSelection()), unfolded: document.querySelector(".message em")?.textContent }));
  assert.deepEqual(read, { held: true, row: true, selected: "here", unfolded: "here" });
  assert.ok(await lister.evaluate(() => document.activeElement === window.held));
  assert.deepEqual(wrong, []);
  await context.close();
});

/** Until the mirror has read again what was written: what comes after is no news of it. */
async function untilQuiet() {
  const { next } = await ask("GET", "/mirror/v1/changes?since=now");
  for (let from = next, last; from !== last; ) [last, from] = [from, (await ask("GET", `/mirror/v1/changes?since=${from}&wait=3`)).next];
}

test("what changes after the first list and before the stream is open is shown", async () => {
  const id = await idOf("lighthouse");
  const page = await world.browser.newPage({ locale: "en-US" });
  await page.route(/\/mirror\/v1\/changes/, async (route) => {
    if (route.request().resourceType() === "eventsource") {
      await page.locator(".side a.row").first().waitFor();
      await ask("PUT", `/webapi/v2/conversations/${encodeURIComponent(id)}/title`, { title: "Named before it listened" });
      await untilQuiet();
    }
    await route.continue();
  });
  await page.goto(world.base);
  await page.locator(".side a.row", { hasText: "Named before it listened" }).waitFor();
  await page.close();
});
