// SPDX-License-Identifier: Apache-2.0
// How a browser gets in without a key, and lives on the change feed: `open` prints a link that works once and becomes a
// session, which opens the page and what it calls, to the page alone.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { makeWorld } from "./world.mjs";

let world;
before(async () => (world = await makeWorld({ ALLI_MIRROR_PROXY_AUTH: "api-key" })));
after(() => world?.end());

const newLink = () => JSON.parse(world.run("open", "--json")).link;

async function visit(act) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US" });
  try {
    await act(await context.newPage(), context);
  } finally {
    await context.close();
  }
}
const visitSignedIn = (act) =>
  visit(async (page, context) => {
    await page.goto(newLink());
    await page.locator(".side a.row").first().waitFor();
    await act(page, context);
  });

/** As another local app does. */
async function rename(id, title) {
  const answer = await fetch(`${world.base}/webapi/v2/conversations/${encodeURIComponent(id)}/title`, {
    method: "PUT", headers: { "API-KEY": "sandbox", "Content-Type": "application/json" }, body: JSON.stringify({ title }),
  });
  assert.equal(answer.status, 200);
}
const idOf = async (row) => decodeURIComponent(/#\/c\/([^?]*)/.exec(await row.getAttribute("href"))[1]);

test("without a session there is a door, and what to do", () =>
  visit(async (page) => {
    const answer = await page.goto(world.base);
    assert.equal(answer.status(), 401);
    await page.locator("code", { hasText: "alli-mirror open" }).waitFor();
  }));

test("a link lets one in, once, and leaves nothing behind", () =>
  visit(async (page, context) => {
    const link = newLink();
    await page.goto(link);
    await page.locator(".side a.row").first().waitFor();
    assert.equal(new URL(page.url()).pathname, "/");
    assert.ok(!(await page.evaluate(() => location.href + document.referrer)).includes("link="));
    const [cookie, ...more] = await context.cookies();
    assert.deepEqual(more, []);
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, "Strict");
    assert.equal(await page.evaluate(() => document.cookie), "");
    await visit(async (late) => {
      const answer = await late.goto(link);
      assert.equal(answer.status(), 401);
      await late.locator("h1", { hasText: "does not work" }).waitFor();
      assert.equal((await late.goto(world.base)).status(), 401);
    });
    await page.reload();
    await page.locator(".side a.row").first().waitFor();
  }));

test("what another app changes shows by itself, over one stream", () =>
  visit(async (page) => {
    const asked = [];
    page.on("request", (request) => request.url().includes("/changes") && asked.push(request.headers().accept));
    await page.goto(newLink());
    const row = page.locator(".side a.row").first();
    await row.waitFor();
    const id = await idOf(row);
    for (const title of ["Named elsewhere", "And once more"]) {
      await rename(id, title);
      await page.locator(".side a.row .row-title", { hasText: title }).waitFor({ timeout: 10_000 });
    }
    assert.deepEqual(asked, [undefined, "text/event-stream"], "where the feed ends, once, and from there a stream");
  }));

test("with a session the page changes things, and signing out ends it", () =>
  visitSignedIn(async (page) => {
    await page.locator(".side a.row").first().click();
    await page.keyboard.press("e");
    await page.locator(".title-form input").fill("Named by the page");
    await page.keyboard.press("Enter");
    await page.locator(".side .row-title", { hasText: "Named by the page" }).waitFor();
    assert.equal(await page.evaluate(async () => (await fetch("/mirror/v1/session", { method: "POST" })).status), 401, "no further links");
    assert.equal(await page.evaluate(async () => (await fetch("/mirror/v1/session", { method: "DELETE" })).status), 204);
    assert.equal(await page.evaluate(async () => (await fetch("/mirror/v1/status")).status), 401);
    await page.locator(".session-over", { hasText: "alli-mirror open" }).waitFor({ timeout: 20_000 });
  }));

test("the page has a button that signs out, and leaves nothing on the screen", () =>
  visitSignedIn(async (page, context) => {
    const other = await context.newPage();
    await other.goto(world.base);
    await other.locator(".side a.row").first().waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator("code", { hasText: "alli-mirror open" }).waitFor();
    assert.equal(await page.locator("a.row").count(), 0);
    await other.locator(".session-over", { hasText: "alli-mirror open" }).waitFor({ timeout: 20_000 });
  }));

test("where the session ended elsewhere nothing stays that was read, and the way leads to the door", () =>
  visitSignedIn(async (page) => {
    await page.locator(".side a.row").first().click();
    await page.locator(".chat").first().waitFor();
    assert.equal(await page.evaluate(async () => (await fetch("/mirror/v1/session", { method: "DELETE" })).status), 204);
    await page.locator(".session-over").waitFor({ timeout: 20_000 });
    assert.equal(await page.locator("a.row, .chat, .reader, .facts").count(), 0);
    assert.equal(await page.title(), "alli-mirror");
    await page.keyboard.press("Escape");
    await page.locator("#token").waitFor();
    assert.equal(await page.locator("a.row").count(), 0);
  }));

/** Runs `act` on a page of another site, which has a link to each of these addresses. */
async function fromAChat(context, addresses, act) {
  const links = addresses.map((address, i) => `<a id="l${i}" href="${address}">link</a>`).join("");
  const chat = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><body>${links}`));
  await new Promise((resolve) => chat.listen(0, "127.0.0.1", resolve));
  try {
    const page = await context.newPage();
    await page.goto(`http://localhost:${chat.address().port}/`); // another site than 127.0.0.1
    await act(page);
  } finally {
    chat.close();
  }
}

test("a link in a chat opens its message at once with a session, and behind the door without", () =>
  visitSignedIn(async (page, context) => {
    const id = await idOf(page.locator(".side a.row").first());
    const link = `${world.base}/#/c/${encodeURIComponent(id)}`;
    await fromAChat(context, [link], async (chat) => {
      const sites = [];
      chat.on("request", (request) => request.isNavigationRequest() && sites.push(request.allHeaders().then((all) => all["sec-fetch-site"])));
      await chat.locator("#l0").click();
      await chat.locator(".reader-head").waitFor();
      assert.equal(chat.url(), link, "it can be copied from the address, too");
      assert.deepEqual(await Promise.all(sites), ["cross-site", "same-origin"]);
      await chat.reload();
      await chat.locator(".reader-head").waitFor();
      assert.equal(chat.url(), link);
    });
    await visit(async (_, stranger) => {
      await fromAChat(stranger, [link, newLink()], async (chat) => {
        const [answer] = await Promise.all([chat.waitForResponse(`${world.base}/`), chat.locator("#l0").click()]);
        assert.equal(answer.status(), 401);
        await chat.locator("#token").fill(world.run("token", "new", "of-a-chat", "--scope", "read").trim());
        await chat.locator("#door button").click();
        await chat.locator(".reader-head").waitFor();
        assert.equal(chat.url(), link);
      });
      await fromAChat(stranger, [newLink()], async (chat) => {
        const [answer] = await Promise.all([chat.waitForResponse(/session/), chat.locator("#l0").click()]);
        assert.equal(answer.status(), 403, "nobody is signed in by another site's page");
      });
    });
  }));

test("a revoked token takes its page along", () =>
  visit(async (page) => {
    const token = world.run("token", "new", "a-page", "--scope", "read").trim();
    const made = await fetch(`${world.base}/mirror/v1/session`, { method: "POST", headers: { "API-KEY": token } });
    await page.goto((await made.json()).link);
    await page.locator(".side a.row").first().waitFor();
    assert.equal(await page.evaluate(async () => (await fetch("/mirror/v1/sync", { method: "POST" })).status), 403, "it may read");
    world.run("token", "revoke", "a-page");
    await page.locator(".session-over", { hasText: "alli-mirror open" }).waitFor({ timeout: 5_000 });
  }));

test("a page on another port of the same host gets nothing by the cookie", () =>
  visitSignedIn(async (page, context) => {
    const other = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><body>"));
    await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
    try {
      const foreign = await context.newPage();
      const answers = [];
      foreign.on("response", (answer) => answer.url().startsWith(world.base) && answers.push(answer.status()));
      await foreign.goto(`http://127.0.0.1:${other.address().port}/`);
      const got = await foreign.evaluate(attack, world.base);
      assert.deepEqual(got, []);
      assert.ok(answers.length > 0 && answers.every((status) => status === 403), String(answers));
    } finally {
      other.close();
    }
    await page.reload();
    await page.locator(".side a.row").first().waitFor(); // and the session is still good
  }));

/** Runs in the page: what it got hold of. */
async function attack(base) {
  const got = [];
  const list = `${base}/webapi/v2/conversations`;
  const tries = [list, `${base}/mirror/v1/status`, `${base}/`].flatMap((to) =>
    ["cors", "no-cors"].map((mode) => fetch(to, { mode, credentials: "include" }).then(async (answer) => answer.ok && got.push(`${to}: ${await answer.text()}`)).catch(() => {})));
  tries.push(fetch(`${base}/mirror/v1/session`, { method: "POST", mode: "no-cors", credentials: "include" }).catch(() => {}));
  tries.push(new Promise((resolve) => {
    const source = new EventSource(`${base}/mirror/v1/changes`, { withCredentials: true });
    source.onopen = () => (got.push("events"), source.close(), resolve());
    source.onerror = () => (source.close(), resolve());
  }));
  tries.push(new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.onload = resolve;
    frame.src = `${base}/`;
    document.body.append(frame);
  }));
  const picture = new Image();
  tries.push(new Promise((resolve) => ((picture.onload = () => (got.push("a picture"), resolve())), (picture.onerror = resolve))));
  picture.src = `${base}/page/icon.svg`;
  await Promise.all(tries);
  return got;
}
