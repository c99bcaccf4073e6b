// SPDX-License-Identifier: Apache-2.0
// Answers come in any order: what is newer stays, what is counted is what is there, and a key that is held down is one.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { createElement: () => ({ append() {}, setAttribute() {}, addEventListener() {}, replaceChildren() {}, remove() {} }), addEventListener() {}, body: { append() {} } };
globalThis.location = { hash: "" };
globalThis.history = { pushState: (_, __, address) => (location.hash = address), replaceState: (_, __, address) => (location.hash = address) };

// Only now: some look at where they are from the start.
const { ChatPages } = await import("./page/chatpages.js");
const { oneAtATime } = await import("./page/emitter.js");
const { goToBad } = await import("./page/badanswers.js");

/** load(), and its requests, which a test answers in the order that it wants. */
function byHand() {
  const asked = [];
  return { asked, load: (_, number) => new Promise((answer, fail) => asked.push({ number, answer, fail })) };
}
const chats = (count, mark = "") => Array.from({ length: count }, (_, i) => ({ id: `${mark}${i}` }));

test("an older page of chats does not take the place of a newer one", async () => {
  const { asked, load } = byHand();
  const pages = new ChatPages("a", 3, load);
  const old = pages.page(1);
  pages.expire();
  const fresh = pages.page(1);
  asked[1].answer(chats(3, "new"));
  await fresh;
  asked[0].answer(chats(2, "old"));
  await old;
  assert.deepEqual([pages.at(0).id, pages.count], ["new0", 3]);
});

test("a failure of an older request leaves what is newer", async () => {
  const { asked, load } = byHand();
  const pages = new ChatPages("a", 3, load);
  const old = pages.page(1);
  pages.expire();
  const fresh = pages.page(1);
  asked[1].answer(chats(3, "new"));
  await fresh;
  asked[0].fail(new Error("late"));
  await assert.rejects(old);
  assert.equal(pages.at(0).id, "new0");
  assert.equal(await pages.need(0, 3), false, "nothing is to be read again");
});

test("behind an empty page there is nothing, and what is there counts", async () => {
  const there = { 1: chats(100), 2: chats(100), 3: [], 4: [] };
  const pages = new ChatPages("a", 350, async (_, number) => there[number]);
  await pages.page(4);
  assert.equal(pages.count, 300);
  await pages.page(3);
  assert.equal(pages.count, 200);
  await pages.page(2);
  assert.equal(pages.count, 200);
  there[2] = chats(40);
  pages.expire();
  await pages.page(2);
  assert.equal(pages.count, 140);
});

test("calls that come meanwhile are one, after the one under way", async () => {
  const ends = [];
  const seen = [];
  const act = oneAtATime((value) => (seen.push(value), new Promise((end) => ends.push(end))), (a, b) => a + b);
  const first = act(1);
  act(10);
  act(100);
  assert.deepEqual(seen, [1]);
  ends[0]();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, [1, 110]);
  act(1000);
  ends[1]();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, [1, 110, 1000]);
  ends[2]();
  await first;
});

test("a failure does not stop what comes after it", async () => {
  const seen = [];
  const act = oneAtATime(async (value) => {
    seen.push(value);
    if (value === 1) throw new Error("once");
  });
  await assert.rejects(act(1));
  await act(2);
  assert.deepEqual(seen, [1, 2]);
});

test("the key to the next badly rated answer, held down, goes through them once", async () => {
  const hits = Array.from({ length: 4 }, (_, i) => ({ conversationId: `c${i}`, chatId: `m${i}`, timestamp: "2026-01-05T00:00:00Z" }));
  globalThis.fetch = async (_, { body }) => {
    const at = Number(JSON.parse(body).cursor ?? 0);
    await new Promise((resolve) => setImmediate(resolve));
    return new Response(JSON.stringify({ results: hits.slice(at, at + 2), next: at + 2 < 4 ? String(at + 2) : null }), { headers: { "Content-Type": "application/json" } });
  };
  const visited = [];
  for (let i = 0; i < 8; ++i) {
    await Promise.all([goToBad(1), goToBad(1), goToBad(1)]);
    if (location.hash !== visited.at(-1)) visited.push(location.hash);
  }
  assert.deepEqual(visited.map((hash) => /c\/(c\d)/.exec(hash)?.[1]), ["c0", "c1", "c2", "c3"]);
});
