// SPDX-License-Identifier: Apache-2.0
// What the page asks of the mirror, by a mirror that answers what a test says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { listConversations, setTitle } from "./page/api.js";

const answers = (operations) => {
  const asked = [];
  globalThis.fetch = async (path, { method, body }) => {
    asked.push(`${method} ${path}${body ? ` ${body}` : ""}`);
    const said = path.startsWith("/mirror/v1/status") ? { operations } : { id: "a" };
    return new Response(JSON.stringify(said), { status: 200, headers: { "Content-Type": "application/json", "Alli-Mirror-Outbox": "7" } });
  };
  return asked;
};

test("a conversation is renamed where the mirror's settings say that upstream has it", async () => {
  const asked = answers({ title: "POST /webapi/conversation_titles/{id}" });
  const { outbox } = await setTitle("a/$&=", "new");
  assert.deepEqual(asked.slice(1), ['POST /webapi/conversation_titles/a%2F%24%26%3D {"title":"new"}']);
  assert.equal(outbox, "7");
});

test("nothing that is asked for stays in the browser's cache, and a part is told from a whole", async () => {
  const kept = [];
  globalThis.fetch = async (_, { cache }) => (kept.push(cache), new Response('{"conversations":[]}', { headers: { "Content-Type": "application/json", "Cache-Status": kept.length > 1 ? "alli-mirror; hit" : "alli-mirror; hit; detail=offline-partial" } }));
  assert.equal((await listConversations(null)).partial, true);
  assert.equal((await listConversations(null)).partial, false);
  assert.deepEqual(kept, ["no-store", "no-store"]);
});

test("settings that changed since are heeded", async () => {
  answers({ title: "PUT /webapi/v2/conversations/{id}/title" });
  await setTitle("a", "one");
  const asked = answers({ title: "PATCH /webapi/v2/conversations/{id}" });
  await setTitle("a", "two");
  assert.deepEqual(asked.slice(1), ['PATCH /webapi/v2/conversations/a {"title":"two"}']);
});
