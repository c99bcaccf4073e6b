// SPDX-License-Identifier: Apache-2.0
// `alli-mirror mcp` beside a real daemon, by the protocol's own client: it validates every message, and every result
// against the schema that the tool gave.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { start, stop } from "./start.mjs";

const program = process.env.PROGRAM;
const home = mkdtempSync(join(tmpdir(), "alli-mcp-"));
const places = { HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home };
let sandbox, mirror, settings;

before(async () => {
  sandbox = await start(program, ["sandbox", "--listen", "127.0.0.1:0", "--conversations", "8"], places, /http:\/\/127\.0\.0\.1:(\d+)/);
  settings = {
    ...places, ALLI_API_KEY: "sandbox", ALLI_MIRROR_UPSTREAM_URL: `http://127.0.0.1:${sandbox.found[1]}`, ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND: "0", ALLI_MIRROR_MIRROR_PATH: join(home, "mirror.db"),
    ALLI_MIRROR_PROXY_LISTEN: `127.0.0.1:0,unix:${join(home, "proxy.sock")}`, ALLI_MIRROR_PROXY_FORWARD_TIMEOUT: "1s",
  };
  mirror = await start(program, ["serve"], settings, /listens on 127\.0\.0\.1:(\d+)/);
  const ask = async () => (await fetch(`http://127.0.0.1:${mirror.found[1]}/mirror/v1/status`, { headers: { "API-KEY": "sandbox" } })).json();
  while (!(await ask()).mirror.complete) await new Promise((resolve) => setTimeout(resolve, 50));
});
after(async () => {
  if (mirror) await stop(mirror);
  if (sandbox) await stop(sandbox);
  rmSync(home, { recursive: true, force: true });
});

async function withClient(args, act) {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StdioClientTransport({ command: program, args: ["mcp", ...args], env: { PATH: process.env.PATH, ...settings } }));
  try {
    await client.listTools(); // from now on the client holds results against their schemas
    await act(client, async (name, given = {}) => {
      const result = await client.callTool({ name, arguments: given });
      assert.ok(!result.isError, JSON.stringify(result.content));
      return result.structuredContent;
    });
  } finally {
    await client.close();
  }
}

const reads = ["get_conversation", "list_conversations", "search", "status"];
const names = async (client) => (await client.listTools()).tools.map(({ name }) => name).sort();

test("reads what the mirror holds, and offers no writing unless that was asked for", () =>
  withClient([], async (client, call) => {
    assert.equal(client.getServerVersion().name, "alli-mirror");
    assert.deepEqual(await names(client), reads);
    const { conversations } = await call("list_conversations", { limit: 3 });
    assert.equal(conversations.length, 3);
    const { conversation, chats } = await call("get_conversation", { id: conversations[0].id });
    assert.equal(conversation.title, conversations[0].title);
    assert.equal(chats.length, conversation.chats);
    const word = chats[0].text.split(/[^\p{L}]+/u).find((one) => one.length > 1);
    assert.ok((await call("search", { query: word })).total > 0, word);
    assert.equal((await call("status")).mirror.conversations, 8);
    const wrong = await client.callTool({ name: "get_conversation", arguments: { id: "nobody" } });
    assert.ok(wrong.isError);
    await assert.rejects(client.callTool({ name: "rename_conversation", arguments: { id: "x", title: "y" } }), /no such tool/);
  }));

test("renames and rates through the daemon: at once, refused, and queued while upstream is away", () =>
  withClient(["--allow-writes"], async (client, call) => {
    assert.deepEqual(await names(client), [...reads, "rate_chat", "rename_conversation"].sort());
    const { id } = (await call("list_conversations", { limit: 1 })).conversations[0];
    const title = 'Named by "somebody" \u2028 여행';
    assert.deepEqual(await call("rename_conversation", { id, title }), { outcome: "delivered" });
    const read = await call("get_conversation", { id });
    assert.equal(read.conversation.title, title);
    const chatId = read.chats.at(-1).id;
    assert.deepEqual(await call("rate_chat", { id, chatId, rating: true, suggestedAnswer: "a better one" }), { outcome: "delivered" });
    const { chats } = await upstreams(id);
    const rated = chats.find((chat) => chat.id === chatId);
    assert.equal(rated.rating, true);
    assert.equal(rated.suggestedAnswer, "a better one");

    for (const [name, given] of [["rename_conversation", { id: "nobody", title }], ["rate_chat", { id, chatId, rating: "good" }], ["rename_conversation", { id }]]) {
      const refused = await client.callTool({ name, arguments: given });
      assert.ok(refused.isError, JSON.stringify(refused));
    }
    await stop(sandbox);
    sandbox = null;
    assert.deepEqual(await call("rename_conversation", { id, title: "Named offline" }), { outcome: "queued" });
    assert.equal((await call("get_conversation", { id })).conversation.title, "Named offline");
    assert.equal((await call("status")).outbox.pending, 1);
  }));

test("gives no answer over its cap, and leads to the end of what it cut", () =>
  withClient([], async (client) => {
    const cap = 40_000;
    const call = async (name, given = {}) => {
      const result = await client.callTool({ name, arguments: given });
      assert.ok(!result.isError, JSON.stringify(result.content));
      const size = Buffer.byteLength(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
      assert.ok(size <= (given.maxBytes ?? cap), `${name}: ${size} bytes`);
      return result.structuredContent;
    };
    const ids = [];
    for (let offset = 0; offset !== null; ) {
      const { conversations, next } = await call("list_conversations", { limit: 200, offset, maxBytes: 4000 });
      ids.push(...conversations.map(({ id }) => id));
      offset = next;
    }
    assert.equal(new Set(ids).size, 8);
    for (const id of ids) {
      let texts = 0, total;
      for (let offset = 0; offset !== null; ) {
        const { conversation, chats, next } = await call("get_conversation", { id, offset, limit: 200, textLimit: 200, maxBytes: 6000 });
        total = conversation.chats;
        for (const chat of chats) assert.ok(chat.textNext === undefined ? Buffer.byteLength(chat.text) === chat.textBytes : chat.textNext < chat.textBytes);
        texts += chats.length;
        offset = next;
      }
      assert.equal(texts, total);
      await call("get_conversation", { id, limit: 200, textLimit: 4_000_000 });
    }
    for (const query of ["a", "여행", "hotel OR 호텔", "after:2000-01-01"])
      for (let cursor = null, pages = 0; pages === 0 || (cursor && pages < 20); ++pages)
        ({ next: cursor } = await call("search", { query, limit: 100, cursor, tz: "Asia/Seoul", sort: null }));
    await call("status", { maxBytes: null });
    const wrong = await client.callTool({ name: "search", arguments: { query: "a", tz: "Asia/Soul" } });
    assert.ok(wrong.isError && /Asia\/Seoul/.test(wrong.content[0].text), JSON.stringify(wrong));
  }));

async function upstreams(id) {
  const url = `${settings.ALLI_MIRROR_UPSTREAM_URL}/webapi/v2/conversations/${encodeURIComponent(id)}`;
  return (await fetch(url, { headers: { "API-KEY": "sandbox" } })).json();
}
