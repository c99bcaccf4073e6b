// SPDX-License-Identifier: Apache-2.0
// From another computer: nginx with TLS in front, by the recipe of docs/deploy.md itself, and a browser that knows only the
// public name. A colleague opens a link, signs in with a token, and is where the link led.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { makeWorld } from "./world.mjs";

const name = "mirror.example.com";
const folder = mkdtempSync(join(tmpdir(), "alli-behind-"));
let world, nginx, browser, port;

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });

/** The server of the recipe, on a port and with a certificate of our own. */
function recipe() {
  const [, text] = /```nginx\n(server \{[\s\S]*?\n\})\n```/.exec(readFileSync(join(process.env.DOCS, "deploy.md"), "utf8"));
  const changes = [["listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`], ["/etc/ssl/mirror.example.com.pem", join(folder, "cert.pem")], ["/etc/ssl/mirror.example.com.key", join(folder, "key.pem")], ["http://127.0.0.1:8787", world.base]];
  return changes.reduce((whole, [from, to]) => {
    assert.ok(whole.includes(from), `the recipe has ${from}`);
    return whole.replace(from, to);
  }, text);
}

async function startNginx() {
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, "-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")], { stdio: "ignore" });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((one) => `${one}_temp_path ${folder}/${one};`).join(" ");
  const user = process.getuid() === 0 ? "user root;" : "";
  writeFileSync(join(folder, "nginx.conf"), `${user} worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/log; events { } http { access_log off; ${temporary} ${recipe()} }`);
  nginx = spawn("nginx", ["-p", folder, "-e", join(folder, "log"), "-c", join(folder, "nginx.conf")], { stdio: "inherit", env: { PATH: `${process.env.PATH}:/usr/sbin` } });
  const ended = new Promise((_, reject) => nginx.on("error", reject).on("exit", (code) => reject(new Error(`nginx ended: ${code}`))));
  ended.catch(() => {});
  const reached = async () => {
    while (!(await ask("/healthz").catch(() => null))) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await Promise.race([ended, reached()]);
}

/** {status, headers, body} of one request by the public name, as a program on another computer makes it. */
function ask(path, { method = "GET", headers = {}, until } = {}) {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, servername: name, method, path, rejectUnauthorized: false, headers: { Host: name, ...headers } }, (answer) => {
      let body = "";
      const done = () => resolve({ status: answer.statusCode, headers: answer.headers, body });
      answer.setEncoding("utf8").on("data", (piece) => {
        body += piece;
        if (until?.test(body)) done(), call.destroy();
      });
      answer.on("end", done);
    });
    call.on("error", reject).end();
  });
}

before(async () => {
  world = await makeWorld({ ALLI_MIRROR_PROXY_AUTH: "api-key", ALLI_MIRROR_PROXY_ALLOWED_HOSTS: `127.0.0.1,localhost,${name}:443`, ALLI_MIRROR_PAGE_ALLI_URL: "https://alli.example.com/conversations/{id}?from=mirror" });
  port = await freePort();
  await startNginx();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", `--host-resolver-rules=MAP ${name}:443 127.0.0.1:${port}`] });
});
after(async () => {
  await browser?.close();
  nginx?.kill("SIGTERM");
  await world?.end();
  rmSync(folder, { recursive: true, force: true });
});

const newToken = (label, scope) => world.run("token", "new", label, "--scope", scope).trim();

async function visit(act) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 }, locale: "en-US" });
  try {
    await act(await context.newPage(), context);
  } finally {
    await context.close();
  }
}
async function signIn(page, path, token) {
  const answer = await page.goto(`https://${name}${path}`);
  assert.equal(answer.status(), 401);
  await page.locator("#token").fill(token);
  await page.locator("#door button").click();
}
async function aConversation() {
  const { conversations } = await (await fetch(`${world.base}/webapi/v2/conversations?pageSize=1`, { headers: { "API-KEY": "sandbox" } })).json();
  return conversations[0];
}

test("a link that a colleague sent is kept through the sign-in, and the cookie is for this name and TLS alone", () =>
  visit(async (page, context) => {
    const { id } = await aConversation();
    await signIn(page, `/#/c/${encodeURIComponent(id)}`, newToken("colleague", "read"));
    await page.locator(".reader-head").waitFor();
    const here = new URL(page.url());
    assert.equal(here.origin, `https://${name}`);
    assert.ok(here.hash.startsWith(`#/c/${encodeURIComponent(id)}`), page.url());
    assert.ok(!page.url().includes("link="));
    const [cookie, ...more] = await context.cookies();
    assert.deepEqual(more, []);
    assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.sameSite, cookie.path, cookie.domain], [true, true, "Strict", "/", name]);
    assert.equal(await page.evaluate(() => document.cookie), "");
    const link = page.locator(".reader-head a", { hasText: "Open in Alli" });
    assert.equal(await link.getAttribute("href"), `https://alli.example.com/conversations/${encodeURIComponent(id)}?from=mirror`);
    assert.match(await link.getAttribute("rel"), /noopener/);
  }));

test("what changes shows by itself: events pass through", () =>
  visit(async (page) => {
    await signIn(page, "/", newToken("watcher", "read"));
    await page.locator(".side a.row").first().waitFor();
    const { id } = await aConversation();
    const renamed = await fetch(`${world.base}/webapi/v2/conversations/${encodeURIComponent(id)}/title`, { method: "PUT", headers: { "API-KEY": "sandbox", "Content-Type": "application/json" }, body: '{"title":"Seen from afar"}' });
    assert.equal(renamed.status, 200);
    await page.locator(".side a.row .row-title", { hasText: "Seen from afar" }).waitFor({ timeout: 10_000 });
  }));

test("a stream's first bytes come at once, not when a buffer is full", async () => {
  const began = Date.now();
  const { status, headers } = await ask("/mirror/v1/changes?since=now", { headers: { "API-KEY": newToken("stream", "read"), Accept: "text/event-stream" }, until: /retry: 1000/ });
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "text/event-stream");
  assert.ok(Date.now() - began < 5000);
});

test("with scope write the page changes things: its origin is the name that was asked", () =>
  visit(async (page) => {
    await signIn(page, "/", newToken("editor", "write"));
    await page.locator(".side a.row").first().click();
    await page.keyboard.press("e");
    await page.locator(".title-form input").fill("Named from afar");
    await page.keyboard.press("Enter");
    await page.locator(".side .row-title", { hasText: "Named from afar" }).waitFor();
  }));

test("a wrong token stays outside, with a word that says so", () =>
  visit(async (page, context) => {
    await signIn(page, "/#/c/x", "no-such-token");
    await page.locator("#wrong", { hasText: "not accepted" }).waitFor();
    assert.deepEqual(await context.cookies(), []);
  }));

test("another origin, another name or http as origin gets nothing", async () => {
  const token = newToken("origins", "write");
  const withOrigin = (origin) => ask("/webapi/v2/conversations?pageSize=1", { headers: { "API-KEY": token, Origin: origin } });
  assert.equal((await withOrigin(`https://${name}`)).status, 200);
  const unencrypted = { "API-KEY": token, Origin: `http://${name}`, "Sec-Fetch-Site": "cross-site" }; // as browsers send it to https
  assert.equal((await ask("/webapi/v2/conversations?pageSize=1", { headers: unencrypted })).status, 403);
  for (const origin of ["https://evil.example", `https://${name}.evil.example`, `https://${name}:8443`, "null"]) assert.equal((await withOrigin(origin)).status, 403, origin);
  assert.equal((await ask("/", { headers: { Host: "evil.example" } })).status, 421);
  const site = await ask("/webapi/v2/conversations?pageSize=1", { headers: { "API-KEY": token, "Sec-Fetch-Site": "cross-site" } });
  assert.equal(site.status, 403);
});

test("a session that came by TLS is of no use to another site's page, nor without TLS", async () => {
  const token = newToken("cookie", "write");
  const made = await ask("/mirror/v1/session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  assert.equal(made.status, 201);
  const secret = new URL(JSON.parse(made.body).link).searchParams.get("link");
  const entered = await ask(`/mirror/v1/session?link=${encodeURIComponent(secret)}`, { headers: { "Sec-Fetch-Site": "same-origin" } });
  const [set] = entered.headers["set-cookie"];
  assert.match(set, /; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/);
  const Cookie = set.split(";")[0];
  const read = (headers) => ask("/mirror/v1/status", { headers: { Cookie, ...headers } });
  assert.equal((await read({ "Sec-Fetch-Site": "same-origin" })).status, 200);
  assert.equal((await read({ "Sec-Fetch-Site": "cross-site" })).status, 403);
  assert.equal((await read({ Origin: "https://evil.example" })).status, 403);
  assert.equal((await ask(`/mirror/v1/session?link=${encodeURIComponent(secret)}`)).status, 401, "a link works once");
});
