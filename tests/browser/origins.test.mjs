// SPDX-License-Identifier: Apache-2.0
// Pages of other sites that are listed (proxy.allowed_origins), in a real browser: they call with a key, and never with
// a cookie; a page that is not listed reads nothing with the same key.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { makeWorld } from "./world.mjs";

let world, browser, elsewhere, away;
before(async () => {
  elsewhere = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><body>"));
  await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  away = elsewhere.address().port;
  // One of another site, and one of another port here: browsers send the latter our cookies.
  const listed = `http://good.test:${away},http://127.0.0.1:${away}`;
  world = await makeWorld({ ALLI_MIRROR_PROXY_AUTH: "api-key", ALLI_MIRROR_PROXY_ALLOWED_ORIGINS: listed });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-quic", "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests", "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP good.test 127.0.0.1"],
  });
});
after(async () => {
  await browser?.close();
  elsewhere?.close();
  await world?.end();
});

/** Runs in the page: what it can do with a key, without one, and with what the browser adds by itself. */
async function call(base) {
  const path = `${base}/webapi/v2/conversations`;
  const key = { "API-KEY": "sandbox" };
  const answer = async (url, options) => {
    try {
      const got = await fetch(url, options);
      return { status: got.status, text: await got.text(), cache: got.headers.get("Cache-Status"), tag: got.headers.get("ETag") };
    } catch {
      return { status: 0 };
    }
  };
  const list = await answer(path, { headers: key });
  const id = list.status === 200 ? JSON.parse(list.text).conversations[0].id : "x";
  const title = { method: "PUT", headers: { ...key, "Content-Type": "application/json" }, body: '{"title":"from a page"}' };
  const picture = new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(true);
    image.onerror = () => resolve(false);
    image.src = `${base}/page/icon.svg`;
  });
  const events = new Promise((resolve) => {
    const source = new EventSource(`${base}/mirror/v1/changes`, { withCredentials: true });
    source.onopen = () => (source.close(), resolve(true));
    source.onerror = () => (source.close(), resolve(false));
  });
  return {
    list,
    again: await answer(path, { headers: { ...key, "If-None-Match": list.tag ?? "" } }),
    written: await answer(`${path}/${encodeURIComponent(id)}/title`, title),
    keyless: await answer(path),
    cookie: await answer(path, { credentials: "include" }),
    both: await answer(path, { credentials: "include", headers: key }),
    picture: await picture,
    events: await events,
  };
}

async function onPage(host, signIn = false) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    if (signIn) {
      const link = await fetch(`${world.base}/mirror/v1/session`, { method: "POST", headers: { "API-KEY": "sandbox" } });
      await page.goto((await link.json()).link);
      assert.ok((await context.cookies(world.base)).length > 0);
    }
    await page.goto(`http://${host}:${away}/`);
    return await page.evaluate(call, world.base);
  } finally {
    await context.close();
  }
}

for (const [host, signIn] of [["good.test", false], ["127.0.0.1", true]])
  test(`a listed page of ${host} ${signIn ? "beside a session of ours" : ""}`, async () => {
    const got = await onPage(host, signIn);
    assert.equal(got.list.status, 200);
    assert.match(got.list.cache, /alli-mirror; hit/);
    assert.ok(got.list.tag);
    assert.ok([200, 304].includes(got.again.status));
    assert.equal(got.written.status, 200);
    assert.equal(got.keyless.status, 401, "it may read that a key is needed");
    assert.equal(got.cookie.status, 0, "no cookie across origins");
    assert.equal(got.both.status, 0, "nor beside a key");
    assert.equal(got.picture, false, "what carries no Origin is refused as ever");
    assert.equal(got.events, false);
  });

test("a page that is not listed, with the key", async () => {
  const got = await onPage("evil.test");
  for (const name of ["list", "again", "written", "keyless", "cookie", "both"]) assert.equal(got[name].status, 0, name);
  assert.equal(got.picture, false);
  assert.equal(got.events, false);
});
