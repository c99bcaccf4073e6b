// SPDX-License-Identifier: Apache-2.0
// Mirrored reads beside RFC 9111 5.2.1, RFC 9110 13 and RFC 9211, a row a test; the rows are those of
// docs/http-conformance.md. Upstream is the sandbox, behind a tap that says whether it was asked.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { readCacheStatus } from "./cache_status.mjs";
import { listed } from "./documented.mjs";
import { startTap } from "./tap.mjs";
import { end, key, startMirror, startSandbox } from "./world.mjs";

let sandbox, tap, fresh, stale, offline; // mirrors: verified lately; old by its own measure; without upstream
let item, list, other, away;

before(async () => {
  sandbox = await startSandbox("--conversations", "12", "--seed", "5");
  tap = await startTap(sandbox.port);
  away = await startTap(sandbox.port);
  const settings = { PROXY_FORWARD_TIMEOUT: "5s" };
  fresh = await startMirror(`http://127.0.0.1:${tap.port}`, { ...settings, PROXY_MAX_AGE: "1h" });
  stale = await startMirror(`http://127.0.0.1:${tap.port}`, { ...settings, PROXY_MAX_AGE: "1ms" });
  offline = await startMirror(`http://127.0.0.1:${away.port}`, { ...settings, PROXY_MAX_AGE: "1ms" });
  for (const mirror of [fresh, stale, offline]) await until(mirror, (status) => status.mirror.complete);
  away.cut();
  await ask(offline, "/webapi/v2/apps"); // relayed: who waits for this knows that upstream is away
  await until(offline, (status) => !status.upstream.reachable);
  list = "/webapi/v2/conversations?pageSize=5";
  const { conversations } = JSON.parse((await ask(fresh, list)).body);
  [item, other] = conversations.map(({ id }) => `/webapi/v2/conversations/${encodeURIComponent(id)}`);
});
after(async () => {
  for (const one of [offline, stale, fresh]) await end(one);
  tap?.cut();
  await end(sandbox);
});

async function until(mirror, holds) {
  for (const since = Date.now(); Date.now() - since < 20_000; await pause(20))
    if (holds(JSON.parse((await ask(mirror, "/mirror/v1/status")).body))) return;
  assert.fail("it did not come to that");
}

async function ask(...of) {
  const answer = await askLoosely(...of);
  const status = answer.headers["cache-status"];
  return { ...answer, cache: status && readCacheStatus(status) };
}

function askLoosely(to, path, headers = {}, method = "GET") {
  const before = tap.asked.length;
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: to.port, path, method, headers: { "API-KEY": key, ...headers }, agent: false });
    asked.on("error", reject).on("response", async (response) => {
      const pieces = [];
      for await (const piece of response) pieces.push(piece);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces).toString("latin1"), asked: tap.asked.slice(before) });
    });
    asked.end();
  });
}

const control = (to, value, path = item) => ask(to, path, { "Cache-Control": value });

function isHit(answer, says = "") {
  assert.equal(answer.status, 200, says);
  assert.equal(answer.cache.hit, true, says);
  assert.equal(answer.asked.length, 0, `${says}: upstream was asked`);
  assert.match(answer.headers.age, /^\d+$/);
}
function isForwarded(answer, why, says = "") {
  assert.equal(answer.status, 200, says);
  assert.equal(answer.cache.fwd, why, says);
  assert.equal(answer.asked.length, 1, `${says}: upstream was asked ${answer.asked.length} times`);
}
function isTimeout(answer, says = "") {
  assert.equal(answer.status, 504, says);
  assert.equal(answer.asked.length, 0, says);
}

const directives = {
  "max-age": async () => {
    isHit(await control(fresh, "max-age=3600"));
    isHit(await control(fresh, "max-age=3600", list));
    isForwarded(await control(fresh, "max-age=0"), "stale");
    isHit(await control(stale, "max-age=3600"), "an age below it will do, however long it would be fresh");
    isTimeout(await control(fresh, "max-age=0, only-if-cached"));
  },
  "max-stale": async () => {
    isHit(await control(stale, "max-stale"));
    isHit(await control(stale, "max-stale=3600"));
    isForwarded(await control(stale, "max-stale=0"), "stale");
    isHit(await control(fresh, "max-stale=0"), "fresh");
    isHit(await control(stale, "max-age=0, max-stale=3600"));
  },
  "min-fresh": async () => {
    isHit(await control(fresh, "min-fresh=60"));
    isForwarded(await control(fresh, "min-fresh=7200"), "stale");
    isForwarded(await control(stale, "min-fresh=1"), "stale");
    isForwarded(await control(stale, "min-fresh=1, max-stale=3600"), "stale", "the stricter of the two");
  },
  "no-cache": async () => {
    isForwarded(await control(fresh, "no-cache"), "request");
    isForwarded(await control(fresh, "no-cache", list), "request");
    isForwarded(await control(fresh, "no-cache, max-age=3600, max-stale"), "request", "nothing softens it");
    isForwarded(await ask(fresh, item, { Pragma: "no-cache" }), "request", "the old way");
    isHit(await ask(fresh, item, { Pragma: "no-cache", "Cache-Control": "max-age=3600" }), "Cache-Control decides where there is one");
    const answer = await control(offline, "no-cache");
    assert.equal(answer.status, 504);
    assert.equal(answer.cache.fwd, "request");
  },
  "no-store": async () => {
    isHit(await control(fresh, "no-store"), "what is held may be used");
    const unheld = `${other}?variables=unheld`;
    for (let time = 0; time < 2; ++time) {
      const answer = await control(fresh, "no-store", unheld);
      isForwarded(answer, "miss", "nothing of it was kept");
      assert.equal(answer.cache.stored, undefined);
    }
    const kept = await ask(fresh, unheld);
    isForwarded(kept, "miss");
    assert.equal(kept.cache.stored, true);
    isHit(await control(fresh, "no-store", unheld));
  },
  "no-transform": async () => {
    const plain = await ask(fresh, item);
    const asked = await ask(fresh, item, { "Cache-Control": "no-transform", "Accept-Encoding": "gzip, br" });
    isHit(asked);
    assert.equal(asked.body, plain.body);
    assert.equal(asked.headers["content-encoding"], undefined);
    const [sent] = (await control(fresh, "no-transform, no-cache")).asked;
    assert.match(sent.headers["cache-control"], /no-transform/, "who stands behind us hears it too");
  },
  "only-if-cached": async () => {
    isHit(await control(fresh, "only-if-cached"));
    isHit(await control(stale, "only-if-cached"));
    isTimeout(await control(fresh, "only-if-cached, no-cache"));
    isTimeout(await control(fresh, "only-if-cached", `${list}&unheardOf=1`), "a parameter that nobody here knows");
    isTimeout(await control(fresh, "only-if-cached", `${item}/running`), "never held");
  },
  "names and lists": async () => {
    isForwarded(await control(fresh, "NO-CACHE"), "request");
    isForwarded(await control(fresh, ' , x="y", No-Cache ,, '), "request");
    isForwarded(await ask(fresh, item, { "Cache-Control": ["max-age=3600", "no-cache"] }), "request", "two lines");
    isForwarded(await control(fresh, 'max-age="0"'), "stale", "quoted");
    isHit(await control(fresh, "no-cachet, max-age, unknown=5, stale-if-error=1"), "unknown ones, and those without their number");
  },
};

const conditional = (to, headers, path = item, method = "GET") => ask(to, path, headers, method);

async function isNotModified(answer, plain, says) {
  assert.equal(answer.status, 304, says);
  assert.equal(answer.body, "", says);
  for (const name of ["etag", "cache-control", "vary"]) assert.equal(answer.headers[name], plain.headers[name], `${name}: ${says}`);
  assert.ok(answer.headers.date, says);
  assert.equal(answer.headers["content-length"] ?? "0", "0", says);
  assert.equal(answer.headers["transfer-encoding"], undefined, says);
}

const conditions = {
  "ETag": async () => {
    for (const path of [item, list, `${item}/chats`]) {
      const [first, second] = [await ask(fresh, path), await ask(fresh, path)];
      assert.match(first.headers.etag, /^(W\/)?"[\x21\x23-\x7e]*"$/);
      assert.equal(first.headers.etag, second.headers.etag);
      assert.equal(first.body, second.body, "a strong validator: the same bytes");
    }
    assert.notEqual((await ask(fresh, item)).headers.etag, (await ask(fresh, other)).headers.etag);
  },
  "If-None-Match": async () => {
    for (const path of [item, list]) {
      const plain = await ask(fresh, path);
      const { etag } = plain.headers;
      for (const value of [etag, `"x", ${etag}`, `${etag},"x"`, `"a,b" , ${etag}`, "*"]) await isNotModified(await conditional(fresh, { "If-None-Match": value }, path), plain, value);
      for (const value of ['"x"', etag.slice(1, -1), etag.toUpperCase() + "x", '"*"', `*, "x"`]) assert.equal((await conditional(fresh, { "If-None-Match": value }, path)).status, 200, value);
    }
  },
  "weak comparison": async () => {
    const plain = await ask(fresh, item);
    await isNotModified(await conditional(fresh, { "If-None-Match": `W/${plain.headers.etag}` }), plain, "weak");
    assert.equal((await conditional(fresh, { "If-None-Match": `w/${plain.headers.etag}` })).status, 200, "W is a capital");
  },
  "If-Modified-Since": async () => {
    const later = new Date(Date.now() + 86_400_000).toUTCString();
    const plain = await ask(fresh, item);
    assert.equal(plain.headers["last-modified"], undefined);
    assert.equal((await conditional(fresh, { "If-Modified-Since": later })).status, 200, "without a date there is no answer to it");
    assert.equal((await conditional(fresh, { "If-Unmodified-Since": new Date(0).toUTCString() })).status, 200);
  },
  "precedence": async () => {
    const plain = await ask(fresh, item);
    const early = new Date(0).toUTCString(), later = new Date(Date.now() + 86_400_000).toUTCString();
    await isNotModified(await conditional(fresh, { "If-None-Match": plain.headers.etag, "If-Modified-Since": early }), plain, "If-None-Match alone decides");
    assert.equal((await conditional(fresh, { "If-None-Match": '"x"', "If-Modified-Since": later })).status, 200);
  },
  "If-Match": async () => {
    assert.equal((await conditional(fresh, { "If-Match": '"x"' })).status, 200, "ignored, as a cache may");
  },
  "If-Range": async () => {
    const plain = await ask(fresh, item);
    for (const headers of [{ Range: "bytes=0-3" }, { Range: "bytes=0-3", "If-Range": plain.headers.etag }, { Range: "bytes=0-3", "If-Range": '"x"' }]) {
      const answer = await conditional(fresh, headers);
      assert.equal(answer.status, 200);
      assert.equal(answer.body, plain.body);
    }
  },
  "HEAD": async () => {
    for (const path of [item, list]) {
      const plain = await ask(fresh, path);
      const head = await conditional(fresh, {}, path, "HEAD");
      assert.equal(head.status, 200);
      assert.equal(head.body, "");
      for (const name of ["content-length", "content-type", "etag", "cache-control", "vary"]) assert.equal(head.headers[name], plain.headers[name], name);
      await isNotModified(await conditional(fresh, { "If-None-Match": plain.headers.etag }, path, "HEAD"), plain, "HEAD");
    }
  },
  "304": async () => {
    const plain = await ask(fresh, item);
    const answer = await conditional(fresh, { "If-None-Match": plain.headers.etag });
    await isNotModified(answer, plain, "304");
    isHit({ ...answer, status: 200 });
    assert.equal(answer.headers["content-type"] ?? plain.headers["content-type"], plain.headers["content-type"]);
  },
  "never upstream's business": async () => {
    const plain = await ask(fresh, item);
    const answer = await conditional(fresh, { "Cache-Control": "no-cache", "If-None-Match": plain.headers.etag, "If-Modified-Since": new Date().toUTCString(), Range: "bytes=0-1" });
    for (const name of ["if-none-match", "if-modified-since", "range"]) assert.equal(answer.asked[0].headers[name], undefined, name);
    await isNotModified(answer, plain, "forwarded, and the same");
    assert.equal(answer.cache.fwd, "request");
  },
  "only where it would be 200": async () => {
    const answer = await conditional(fresh, { "If-None-Match": "*" }, "/webapi/v2/conversations/nobody");
    assert.equal(answer.status, 404);
    const bad = await conditional(fresh, { "If-None-Match": "*" }, "/webapi/v2/conversations?pageSize=none");
    assert.equal(bad.status, 400);
    isTimeout(await ask(fresh, `${item}/running`, { "If-None-Match": "*", "Cache-Control": "only-if-cached" }));
  },
};

const statuses = {
  "hit": async () => {
    const { cache } = await ask(fresh, item);
    assert.equal(cache.hit, true);
    assert.ok(Number(cache.ttl) > 3000 && Number(cache.ttl) <= 3600, cache.ttl);
    assert.equal(cache.detail, undefined);
  },
  "ttl below zero": async () => {
    const { cache, headers } = await ask(offline, item);
    assert.equal(cache.hit, true);
    assert.ok(Number(cache.ttl) < 0, cache.ttl);
    assert.ok(Math.abs(Number(headers.age) + Number(cache.ttl)) <= 1, `${headers.age} ${cache.ttl}`);
  },
  "fwd=request": async () => assert.equal((await control(fresh, "no-cache")).cache.fwd, "request"),
  "fwd=stale": async () => assert.equal((await control(fresh, "max-age=0")).cache.fwd, "stale"),
  "fwd=miss": async () => assert.equal((await ask(fresh, `${list}&unheardOf=1`)).cache.fwd, "miss"),
  "fwd=bypass": async () => assert.equal((await ask(fresh, `${item}/running`)).cache.fwd, "bypass"),
  "stored": async () => {
    assert.equal((await ask(fresh, `${item}?variables=stored`)).cache.stored, true);
    assert.equal((await control(fresh, "no-cache")).cache.stored, undefined, "the very bytes that are held");
  },
  "collapsed": async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(fresh, item, { "Cache-Control": "max-age=0" })));
    for (const { status } of answers) assert.equal(status, 200);
    const alone = answers.filter(({ cache }) => cache.fwd && !cache.collapsed).length;
    assert.ok(alone >= 1, "somebody asked");
    assert.equal(new Set(answers.map(({ body }) => body)).size, 1);
  },
  "fwd-status": async () => {
    const { cache } = await withUpstream({ status: 503 }, () => control(fresh, "max-age=0"));
    assert.equal(cache["fwd-status"], "503");
    assert.equal(cache.fwd, "stale");
  },
  "detail=offline": async () => {
    for (const path of [item, list]) assert.equal((await ask(offline, path)).cache.detail, "offline");
  },
  "none of the two": async () => {
    const { status, cache } = await control(fresh, "only-if-cached", `${list}&unheardOf=1`);
    assert.equal(status, 504);
    assert.equal(cache.hit ?? cache.fwd, undefined);
  },
  "after upstream's own": async () => {
    const { headers, cache } = await withUpstream({ more: { "Cache-Status": "edge; hit" } }, () => control(fresh, "no-cache"));
    assert.match(headers["cache-status"], /^edge; hit, alli-mirror; /);
    assert.equal(cache.fwd, "request");
  },
};

// One that ends the program would fail whatever comes behind it.
test("no response header of upstream's, however odd, does more than one answer harm", async () => {
  const names = ["Age", "Cache-Control", "Cache-Status", "Connection", "Content-Encoding", "Content-Type", "Date", "ETag", "Keep-Alive", "Last-Modified", "Location", "Retry-After", "Set-Cookie", "Vary", "Via", "WWW-Authenticate", "X-Request-Id"];
  const values = ["", "x", ",", ";", "=", '"', "*", "0", "-1", "99999999999999999999", "\t", "\xff", "alli-mirror", "alli-mirror; hit", "a".repeat(4000)];
  for (const name of names)
    for (const value of values)
      for (const path of [item, "/webapi/v2/apps"]) {
        const { status, headers } = await withUpstream({ more: { [name]: value } }, () => askLoosely(fresh, path, { "Cache-Control": "no-cache" }));
        assert.ok([200, 404, 502, 503, 504].includes(status), `${name}: ${value}: ${status}`);
        assert.match(headers["cache-status"] ?? "alli-mirror", /alli-mirror/);
      }
  isHit(await ask(fresh, item));
});

async function withUpstream({ more = {}, status }, act) {
  tap.more = more;
  tap.status = status;
  try {
    return await act();
  } finally {
    tap.more = {};
    tap.status = undefined;
  }
}

const tables = { "Request directives (RFC 9111 5.2.1)": directives, "Conditional requests (RFC 9110 13)": conditions, "Cache-Status (RFC 9211)": statuses };
for (const [heading, rows] of Object.entries(tables)) {
  for (const [name, run] of Object.entries(rows)) test(`${heading}: ${name}`, run);
  test(`${heading}: the document has these rows`, () => assert.deepEqual(listed(heading), Object.keys(rows).sort()));
}
