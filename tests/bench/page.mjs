// SPDX-License-Identifier: Apache-2.0
// See page.sh.
import http from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { start, stop } from "./start.mjs";

const rounds = 21;
const words = ["여행", "조식이", "부산", "날씨", "温泉", "駅から", "hotel", "breakfast", "umbrella", "the station"];

const sorted = (figures) => [...figures].sort((a, b) => a - b);
const quantile = (figures, part) => sorted(figures)[Math.min(figures.length - 1, Math.floor(figures.length * part))];
const show = (name, figures) => console.log(`${name.padEnd(34)} median ${quantile(figures, 0.5).toFixed(1).padStart(6)} ms   p95 ${quantile(figures, 0.95).toFixed(1).padStart(6)} ms`);

async function nothing() {
  const server = http.createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>.</title><p>nothing"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function filled(base) {
  for (let said = 0; ; ) {
    const { mirror } = await (await fetch(`${base}/mirror/v1/status`, { headers: { "API-KEY": "sandbox" } })).json();
    if (mirror.complete) return mirror;
    if (Date.now() - said > 10_000) console.log(`filling: ${mirror.chats} chats`), (said = Date.now());
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

// Milliseconds from the navigation's start to the first contentful paint, and to the first row where there is a list.
const opened = (page, row) =>
  page.evaluate(
    (selector) =>
      new Promise((resolve) => {
        const paint = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
        const look = () => (paint() && (!selector || document.querySelector(selector)) ? resolve({ paint: paint(), row: performance.now(), fetched: performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation")).map(({ name, transferSize }) => [name, transferSize]) }) : requestAnimationFrame(look));
        look();
      }),
    row,
  );

async function openOnce(browser, address, row) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(address, { waitUntil: "commit" });
    return await opened(page, row);
  } finally {
    await context.close();
  }
}

async function firstPage(browser, base, empty) {
  const ours = [], theirs = [];
  for (let round = 0; round < rounds; ++round) {
    theirs.push(await openOnce(browser, empty, ""));
    ours.push(await openOnce(browser, base, "a.row"));
  }
  show("an empty page, first paint", theirs.map(({ paint }) => paint));
  show("the page, first paint", ours.map(({ paint }) => paint));
  show("the page, the list's first row", ours.map(({ row }) => row));
  const own = ours.at(-1).fetched.filter(([name]) => !name.includes("/webapi/") && !name.includes("/mirror/"));
  console.log(`${own.length} answers, ${own.reduce((sum, [, size]) => sum + size, 0)} bytes with their heads`);
}

// From the last key to the frame in which the results of the whole word are there.
async function typed(page, word) {
  await page.fill("#search", word.slice(0, -1));
  await page.waitForTimeout(400); // what was found before is there, and at rest
  return page.evaluate((whole) => {
    const field = document.querySelector("#search");
    const head = () => document.querySelector(".side .results-head .sum");
    const before = head();
    const began = performance.now();
    field.value = whole;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    return new Promise((resolve, reject) => {
      const look = () => {
        const now = performance.now();
        if (now - began > 5000) reject(new Error(`no results of ${whole}`));
        else if (head() && head() !== before && document.querySelector(".side a.row .snippet")) resolve(now - began);
        else requestAnimationFrame(look);
      };
      look();
    });
  }, word);
}

async function search(browser, base) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(base);
  await page.locator("a.row").first().waitFor();
  const figures = [];
  for (let round = 0; round < 3; ++round) for (const word of words) figures.push(await typed(page, word));
  show("search, last key to results", figures);
  await context.close();
}

const home = mkdtempSync(join(tmpdir(), "alli-page-"));
const places = { HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home };
const sandbox = await start(process.env.PROGRAM, ["sandbox", "--listen", "127.0.0.1:0", "--conversations", process.env.CONVERSATIONS], places, /http:\/\/127\.0\.0\.1:(\d+)/);
const settings = {
  ALLI_API_KEY: "sandbox", ALLI_MIRROR_UPSTREAM_URL: `http://127.0.0.1:${sandbox.found[1]}`, ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND: "0", ALLI_MIRROR_MIRROR_PATH: join(home, "mirror.db"),
  ALLI_MIRROR_PROXY_LISTEN: "127.0.0.1:0", ALLI_MIRROR_PROXY_AUTH: "none",
};
const mirror = await start(process.env.PROGRAM, ["serve"], { ...places, ...settings }, /listens on 127\.0\.0\.1:(\d+)/);
const empty = await nothing();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
try {
  const base = `http://127.0.0.1:${mirror.found[1]}`;
  const { conversations, chats } = await filled(base);
  console.log(`${conversations} conversations, ${chats} chats`);
  await firstPage(browser, base, `http://127.0.0.1:${empty.address().port}/`);
  await search(browser, base);
} finally {
  await browser.close();
  empty.close();
  await stop(mirror);
  await stop(sandbox);
  rmSync(home, { recursive: true, force: true });
}
