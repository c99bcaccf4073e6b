// SPDX-License-Identifier: Apache-2.0
// Pages that must not reach the mirror, in a real browser, although this mirror asks for no key: one of another site, one
// of another port here, one without an origin, and one whose name was turned to our address. None reads a byte, none
// reaches a handler, none writes.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { makeWorld } from "./world.mjs";

let world, port, browser, attacker, away;
before(async () => {
  world = await makeWorld();
  port = new URL(world.base).port;
  attacker = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><body>"));
  await new Promise((resolve) => attacker.listen(0, "127.0.0.1", resolve));
  away = attacker.address().port;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Without what Chromium itself does against pages that reach into the local network: the mirror must not need it.
    args: ["--no-sandbox", "--disable-quic", "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests", "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP rebind.test 127.0.0.1"],
  });
});
after(async () => {
  await browser?.close();
  attacker?.close();
  await world?.end();
});

/** Runs in the page: tries everything, and says what it got hold of. */
async function attack(base) {
  const got = [];
  const within = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 3000))]);
  const path = "/webapi/v2/conversations";
  const tries = [];
  const read = (name, url, options) =>
    tries.push(fetch(url, options).then(async (answer) => {
      const text = await answer.text();
      if (answer.ok && text) got.push(name);
    }).catch(() => {}));

  for (const to of [path, "/mirror/v1/status", "/mirror/v1/search?q=lighthouse", "/", "/metrics", "/webapi/any"]) {
    for (const mode of ["cors", "no-cors"]) read(`fetch ${mode} ${to}`, base + to, { mode });
    read(`with credentials ${to}`, base + to, { credentials: "include" });
    read(`with a key ${to}`, base + to, { headers: { "API-KEY": "sandbox" } });
  }
  for (const method of ["POST", "PUT", "PATCH", "DELETE"])
    read(method, `${base}${path}/x/title`, { method, headers: { "Content-Type": "application/json" }, body: method === "DELETE" ? undefined : '{"title":"taken"}' });
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    read(`simple ${type}`, `${base}${path}/bulk_update`, { method: "POST", mode: "no-cors", headers: { "Content-Type": type }, body: '{"set":{"title":"taken"}}' });
  read("kept alive", `${base}/mirror/v1/sync`, { method: "POST", mode: "no-cors", keepalive: true });
  tries.push(new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.onloadend = () => (request.status === 200 && got.push("XMLHttpRequest"), resolve());
    request.open("GET", base + path);
    request.send();
  }));
  navigator.sendBeacon(`${base}/mirror/v1/sync`, "x");
  navigator.sendBeacon(`${base}${path}/bulk_update`, new Blob(["{}"], { type: "text/plain" }));

  for (const [tag, key, to] of [["img", "src", path], ["img", "src", "/page/icon.svg"], ["script", "src", path], ["script", "src", "/page/main.js"], ["link", "href", "/page/main.css"], ["audio", "src", path], ["object", "data", path], ["embed", "src", path]])
    tries.push(new Promise((resolve) => {
      const element = document.createElement(tag);
      if (tag === "link") element.rel = "stylesheet";
      element.onload = element.onloadeddata = () => (tag !== "object" && tag !== "embed" && got.push(`${tag} ${to}`), resolve());
      element.onerror = resolve;
      element[key] = base + to;
      document.body.append(element);
    }));
  for (const rel of ["prefetch", "prerender", "preload", "modulepreload"]) document.body.append(Object.assign(document.createElement("link"), { rel, href: base + path, as: "fetch" }));
  const rules = document.createElement("script");
  rules.type = "speculationrules";
  rules.textContent = JSON.stringify({ prefetch: [{ source: "list", urls: [`${base}/`] }], prerender: [{ source: "list", urls: [base + path] }] });
  document.body.append(rules);

  for (const to of ["/", path])
    tries.push(new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.onload = () => {
        try {
          if (/conversations/.test(frame.contentDocument.body.innerText)) got.push(`iframe ${to}`);
        } catch { /* another origin's */ }
        resolve();
      };
      frame.src = base + to;
      document.body.append(frame);
    }));
  for (const enctype of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]) {
    const frame = Object.assign(document.createElement("iframe"), { name: enctype });
    const form = Object.assign(document.createElement("form"), { method: "post", action: `${base}${path}/bulk_update`, enctype, target: enctype });
    form.append(Object.assign(document.createElement("input"), { name: '{"set":{"title":"', value: 'taken"}}' }));
    document.body.append(frame, form);
    form.submit();
  }
  tries.push(new Promise((resolve) => {
    const source = new EventSource(`${base}/mirror/v1/changes`);
    source.onopen = () => (got.push("EventSource"), resolve());
    source.onerror = () => (source.close(), resolve());
  }));
  tries.push(new Promise((resolve) => {
    const socket = new WebSocket(`${base.replace("http", "ws")}/mirror/v1/changes`);
    socket.onopen = () => (got.push("WebSocket"), resolve());
    socket.onerror = socket.onclose = resolve;
  }));
  await within(Promise.all(tries));
  return { got, tries: tries.length };
}

// From here, where no page is: what the mirror has done so far.
async function handled() {
  const text = await (await fetch(`${world.base}/metrics`)).text();
  const routes = {};
  let refused = 0;
  for (const [, name, labels, value] of text.matchAll(/^(\w+)\{([^}]*)\} (\S+)$/gm)) {
    if (name === "alli_mirror_http_requests_refused_total") refused += Number(value);
    if (name !== "alli_mirror_http_requests_total" || /"(metrics|status|outbox|dashboard)"/.test(labels)) continue;
    routes[labels] = value;
  }
  return { routes, refused };
}

async function mustNotReach(run) {
  const before = await handled();
  const result = await run();
  assert.deepEqual(result.got, []);
  assert.ok(result.tries > 30);
  const now = await handled();
  assert.deepEqual(now.routes, before.routes, "a handler was reached");
  assert.ok(now.refused >= before.refused + 20, `only ${now.refused - before.refused} were refused`);
  const { entries } = await (await fetch(`${world.base}/mirror/v1/outbox`)).json();
  assert.deepEqual(entries, []);
}

async function onPage(address, act) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(address);
    return await act(page);
  } finally {
    await context.close();
  }
}

for (const host of ["evil.test", "127.0.0.1"])
  test(`a page of ${host} on another port`, () =>
    mustNotReach(() => onPage(`http://${host}:${away}/`, (page) => page.evaluate(attack, world.base))));

test("a page without an origin", () =>
  mustNotReach(() =>
    onPage(`http://evil.test:${away}/`, async (page) => {
      await page.setContent('<iframe sandbox="allow-scripts allow-forms" srcdoc="<body>"></iframe>');
      return page.frames()[1].evaluate(attack, world.base);
    })));

test("a page whose name was turned to our address", () =>
  mustNotReach(async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const own = `http://rebind.test:${port}`;
    await page.route(`${own}/attack`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><body>" }));
    await page.goto(`${own}/attack`);
    const result = await page.evaluate(attack, own);
    await context.close();
    return result;
  }));

test("a link in a foreign page leads to the page alone, whose window is then nobody's", async () => {
  const lead = (page, to) => Promise.all([page.waitForResponse(to), page.evaluate((to) => void (location.href = to), to)]);
  for (const [to, status] of [["/", 200], ["/?q=x", 403], ["/?", 403], ["/webapi/v2/conversations", 403], ["/mirror/v1/status", 403], ["/page/main.js", 403], ["/mirror/v1/session?link=x", 403]])
    await onPage(`http://evil.test:${away}/`, async (page) => {
      const [answer] = await lead(page, world.base + to);
      assert.equal(answer.status(), status, to);
    });
  await onPage(`http://evil.test:${away}/`, async (page) => {
    const [opened] = await Promise.all([page.waitForEvent("popup"), page.evaluate((to) => void (window.taken = open(to)), `${world.base}/#/state`)]);
    await opened.locator(".pill").waitFor();
    assert.equal(await opened.evaluate(() => window.opener), null);
    const held = await page.evaluate(() => {
      try {
        return [taken.closed, taken.length];
      } catch (error) {
        return [error.name];
      }
    });
    assert.deepEqual(held, [true, 0]);
    await page.evaluate((to) => void taken.location.replace(to), `http://evil.test:${away}/`);
    assert.equal(new URL(opened.url()).origin, world.base);
  });
});

test("a typed address of another name shows nothing", async () => {
  const context = await browser.newContext();
  const answer = await (await context.newPage()).goto(`http://rebind.test:${port}/`);
  assert.equal(answer.status(), 421);
  await context.close();
});
