// SPDX-License-Identifier: Apache-2.0
// What nobody should send and somebody will: names of what every object has, times that are none, halves of characters.
import assert from "node:assert/strict";
import { test } from "node:test";

// As much of a document as elements are made with.
class Element {
  constructor(name) {
    if (!/^[a-z][a-z0-9]*$/i.test(name)) throw new Error(`no element: ${name}`);
    [this.name, this.children] = [name, []];
  }
  setAttribute() {}
  addEventListener() {}
  append() {}
  replaceChildren(...children) {
    this.children = children;
  }
  get textContent() {
    return this.children.map((child) => (typeof child === "string" ? child : child.textContent)).join("");
  }
}
globalThis.document = { createElement: (name) => new Element(name), addEventListener() {}, body: { append() {} } };

// Only now: some listen to the document from the start.
const { dayMeant, instantOf } = await import("./page/dates.js");
const { readDraft } = await import("./page/draft.js");
const { tidyChat, tidyConversation } = await import("./page/lenient.js");
const { oneLine, textOfMessage } = await import("./page/message.js");
const { renderBlocks } = await import("./page/render.js");
const { readPlace, writePlace } = await import("./page/router.js");
const { loadPending, writesOf } = await import("./page/pending.js");
const { plainLine } = await import("./page/text.js");
const { changeWords } = await import("./page/writes.js");

const ofEveryObject = ["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__", "isPrototypeOf"];
const strange = [...ofEveryObject, { toString: 1, valueOf: 1 }, ["BOLD"], 7, null, true, {}];
const shown = (message) => renderBlocks(readDraft(message)).map((node) => node.textContent).join("\n");

test("a Draft.js message is read whatever its styles, kinds and links are called", () => {
  for (const odd of strange) {
    const styled = JSON.stringify({ blocks: [{ text: "hello", inlineStyleRanges: [{ offset: 0, length: 5, style: odd }] }] });
    assert.equal(shown(styled), "hello", styled);
    assert.equal(oneLine(styled), "hello");
    const kind = JSON.stringify({ blocks: [{ text: "hello", type: odd }] });
    assert.equal(shown(kind), "hello", kind);
    const linked = JSON.stringify({ blocks: [{ text: "hello", entityRanges: [{ offset: 0, length: 5, key: odd }] }], entityMap: { 1: { type: odd, data: { url: odd } } } });
    assert.equal(shown(linked), "hello", linked);
    const ranged = JSON.stringify({ blocks: [{ text: "hello", inlineStyleRanges: [{ offset: odd, length: odd, style: "BOLD" }], entityRanges: [{ offset: odd, length: odd, key: 0 }] }] });
    assert.equal(shown(ranged), "hello", ranged);
    const map = JSON.stringify({ blocks: [{ text: "hello", entityRanges: [{ offset: 0, length: 5, key: 0 }] }], entityMap: odd });
    assert.equal(shown(map), "hello", map);
  }
  assert.equal(textOfMessage('{"blocks":[{"text":"a","type":"constructor"}]}'), "a");
});

test("a node of an unknown kind is its text", () => {
  for (const type of [...ofEveryObject, "unknown"]) assert.deepEqual(renderBlocks([{ type, children: [{ type: "text", text: "words" }] }, { type, text: "more" }]), ["words", "more"]);
});

test("an address of a view that there is not is the list", () => {
  for (const name of ofEveryObject) assert.equal(readPlace(`#/${name}`).view, "list", name);
});

test("days of no meaning stay as they are", () => {
  for (const name of ofEveryObject) assert.equal(dayMeant(name, 0), name);
});

test("a change is described whatever its fields are called and hold", () => {
  for (const odd of ofEveryObject) {
    const body = JSON.parse(`{"${odd}":1,"title":"new"}`);
    assert.match(changeWords({ method: "PUT", path: "/a/title", request: { body } }), /new/);
    assert.doesNotMatch(changeWords({ method: "PUT", path: "/a/title", request: { body: JSON.parse(`{"${odd}":1}`) } }), /function|object/);
  }
  for (const odd of strange) changeWords({ method: "PUT", path: "/a/title", request: { body: { title: odd, state: { name: odd }, categories: [odd] } } });
});

test("a line of text is made of anything", () => {
  for (const odd of [{ toString: 1, valueOf: 1 }, { toString: null }, {}, []]) assert.equal(typeof plainLine(odd), "string");
  assert.equal(plainLine(7), "7");
});

test("a time that no calendar has is none", () => {
  for (const value of [8.64e15 + 1, 9e15, 1e300, -9e15, -1e14, Number.MAX_SAFE_INTEGER, "+275761-01-01T00:00:00Z", Infinity]) assert.equal(instantOf(value), null, String(value));
  for (const value of [8.64e15, 1.7e12, 1.7e9, -1e10]) assert.doesNotThrow(() => new Date(instantOf(value)).toISOString(), String(value));
});

test("a write to a path that no text is breaks nothing beside it", async () => {
  const write = { id: 1, state: "pending", conversationId: "a", path: "/webapi/v2/conversations/a/chats/%ff/feedback" };
  globalThis.fetch = async (path) => new Response(JSON.stringify({ entries: path.includes("state=pending") ? [write] : [] }), { headers: { "Content-Type": "application/json" } });
  await loadPending();
  assert.equal(writesOf("a").length, 1);
  assert.deepEqual([writesOf("a", "x").length, writesOf("a", "%ff").length], [0, 1]);
});

test("half a character in an id breaks no address", () => {
  for (const id of ["a\ud83d", "\ude00b", "\ud83d\ude00"]) {
    assert.doesNotThrow(() => writePlace({ view: "read", id, chat: id, at: id, q: id }));
    assert.doesNotThrow(() => encodeURIComponent(tidyConversation({ id, user: { userId: id }, llmApp: { id } }).id));
    assert.doesNotThrow(() => encodeURIComponent(tidyChat({ id }).id));
  }
  assert.equal(tidyConversation({ id: "\ud83d\ude00" }).id, "\ud83d\ude00");
  assert.equal(tidyConversation({ id: "a\ud83d" }).id, "a\ufffd");
});
