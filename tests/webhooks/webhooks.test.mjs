// SPDX-License-Identifier: Apache-2.0
// A receiver that is killed and started again, and a daemon that is, ROUNDS times in all, while conversations change: what
// the receiver took is complete, in order within each conversation, and a repeat bears the id that it had.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { start, stop } from "./start.mjs";

const program = process.env.PROGRAM;
const rounds = Number(process.env.ROUNDS ?? 100);
const seed = Number(process.env.SEED ?? (Date.now() % 1_000_000));
const home = mkdtempSync(join(tmpdir(), "alli-webhooks-"));
const places = { HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home };
const file = join(home, "taken");
const secret = `whsec_${randomBytes(32).toString("base64")}`;
let sandbox, mirror, receiver, receiverPort, mirrorPort, begun;
console.log(`SEED=${seed} ROUNDS=${rounds}`);

let state = seed >>> 0; // mulberry32
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % below;
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
const ask = async (target, more = {}) => {
  const headers = { "API-KEY": "sandbox", "Content-Type": "application/json" };
  return fetch(`http://127.0.0.1:${mirrorPort}${target}`, { headers, ...more });
};
async function until(what, fits) {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20)))
    if (await fits().catch(() => false)) return;
  assert.fail(`never: ${what}`);
}
const receive = async () => {
  receiver = await start(process.execPath, ["receiver.mjs", String(receiverPort), secret, file], {}, /ready/);
};
const serve = async () => {
  mirror = await start(program, ["serve", "--config", join(home, "config.toml")], settings, /listens on 127\.0\.0\.1:(\d+)/);
  mirrorPort = mirror.found[1];
};
let settings;

before(async () => {
  sandbox = await start(program, ["sandbox", "--listen", "127.0.0.1:0", "--conversations", "12"], places, /http:\/\/127\.0\.0\.1:(\d+)/);
  settings = {
    ...places, ALLI_API_KEY: "sandbox", ALLI_MIRROR_UPSTREAM_URL: `http://127.0.0.1:${sandbox.found[1]}`,
    ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND: "0", ALLI_MIRROR_MIRROR_PATH: join(home, "mirror.db"), ALLI_MIRROR_PROXY_LISTEN: "127.0.0.1:0",
  };
  receiverPort = await freePort(); // the receiver's own, on which it comes back
  writeFileSync(join(home, "secret"), secret, { mode: 0o600 });
  writeFileSync(join(home, "config.toml"), `[[webhook]]\nurl = "http://127.0.0.1:${receiverPort}/"\nsecret_file = "${join(home, "secret")}"\n`, { mode: 0o600 });
  await receive();
  await serve();
  await until("the mirror is complete", async () => (await (await ask("/mirror/v1/status")).json()).mirror.complete);
  begun = (await (await ask("/mirror/v1/changes?since=now")).json()).next;
});
after(async () => {
  for (const child of [mirror, receiver, sandbox]) if (child) await stop(child);
  rmSync(home, { recursive: true, force: true });
});

const taken = () =>
  (existsSync(file) ? readFileSync(file, "utf8") : "").split("\n").filter(Boolean).map((line) => JSON.parse(line));

async function changeSome(ids) {
  for (let n = random(4) + 1; n > 0; --n) {
    const id = encodeURIComponent(ids[random(ids.length)]);
    const body = JSON.stringify({ title: `title ${random(1_000_000)}` });
    await ask(`/webapi/v2/conversations/${id}/title`, { method: "PUT", body }).catch(() => {}); // it may be killed meanwhile
  }
}

async function killOne() {
  if (random(2) === 0) {
    await stop(receiver, "SIGKILL");
    await receive();
  } else {
    await stop(mirror, "SIGKILL");
    await serve();
  }
}

test("nothing is missed, put out of order or given another id, whoever is killed", { timeout: 3_600_000 }, async () => {
  const { conversations } = await (await ask("/webapi/v2/conversations?pageSize=12")).json();
  const ids = conversations.map(({ id }) => id);
  for (let round = 0; round < rounds; ++round) {
    const changing = changeSome(ids);
    await new Promise((resolve) => setTimeout(resolve, random(120)));
    await Promise.all([changing, killOne()]);
  }
  const told = async () => (await (await ask("/mirror/v1/status")).json());
  await until("everything is told", async () => {
    const { webhooks, outbox } = await told();
    return outbox.pending === 0 && webhooks[0].waiting === 0 && webhooks[0].held === 0 && webhooks[0].state === "delivering";
  });

  const all = taken();
  assert.deepEqual(all.filter(({ why }) => why), [], "each is signed as the reference library wants it");
  assert.ok(!all.some(({ said }) => said.type === "mirror.reset"), "a kill restarts no feed");
  const seqOf = new Map(), idOf = new Map(), last = new Map();
  let repeats = 0;
  for (const { id, said } of all) {
    const { seq, conversationId } = said.data;
    if (seqOf.has(id)) ++repeats;
    assert.equal(seqOf.get(id) ?? seq, seq, "an id is of one event");
    assert.equal(idOf.get(seq) ?? id, id, "and an event has one id");
    if (!seqOf.has(id)) {
      assert.ok(seq > (last.get(conversationId) ?? 0), "in order within a conversation");
      last.set(conversationId, seq);
    }
    seqOf.set(id, seq);
    idOf.set(seq, id);
  }
  const { changes } = await (await ask(`/mirror/v1/changes?since=${begun}`)).json();
  for (const change of changes) {
    const message = all.find(({ said }) => said.data.seq === change.seq);
    assert.ok(message, `${JSON.stringify(change)} came`);
    assert.deepEqual(message.said.data, change);
  }
  console.log(`${all.length} messages, ${seqOf.size} ids, ${repeats} repeats, ${changes.length} changes that stand`);
});
