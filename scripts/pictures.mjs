// SPDX-License-Identifier: Apache-2.0
// See scripts/pictures.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { start, stop } from "./start.mjs";

const program = process.env.PROGRAM;
const home = mkdtempSync(join(tmpdir(), "alli-pictures-"));
const environment = { HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home, LANG: "C.UTF-8", TZ: "Asia/Seoul", ALLI_MIRROR_PROXY_LISTEN: "127.0.0.1:0" };
const headers = { "API-KEY": "sandbox" };

const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

/** What a command shows on a terminal, as HTML. */
function shown(command) {
  const line = `stty cols 200; '${program}' ${command}`;
  const said = execFileSync("script", ["-qec", line, "/dev/null"], { env: { PATH: process.env.PATH, TERM: "xterm", ...environment } }).toString().replaceAll(home, "~/.local/state");
  const html = escaped(said.replaceAll("\r", "")).replaceAll("\x1b[1m", "<b>").replace(/\x1b\[(0|22)?m/g, "</b>");
  return `<span>$ alli-mirror ${escaped(command)}</span>\n${html}`;
}

async function drawTerminal(browser, base, file) {
  const at = `--proxy-listen ${base}`;
  const text = ['search "breakfast hotel" --limit 3', "search 온천 --limit 2", "status"].map((command) => shown(`${command} ${at}`).replaceAll(` ${at}`, "")).join("\n");
  const page = await browser.newPage({ viewport: { width: 1100, height: 200 }, deviceScaleFactor: 1 });
  await page.setContent(`<body style="margin:0;background:#1d2026"><pre style="margin:0;padding:16px;color:#d6d9df;font:13px/1.45 monospace;white-space:pre-wrap">${text}</pre><style>b{color:#ffd479}span{color:#8fd18f}</style>`);
  await page.screenshot({ path: file, fullPage: true });
}

async function drawPage(browser, base, file) {
  const page = await openPage(browser, base);
  await page.goto(`http://${base}/#/?q=breakfast`);
  await page.locator("a.row, a.hit").first().click();
  await page.locator("section.reader mark, section.reader article").first().waitFor();
  await page.waitForTimeout(500); // until the conversation has come to rest at the message
  await page.screenshot({ path: file });
}

/** Another view of the page, once it shows what `ready` names. */
async function drawView(browser, base, place, ready, file) {
  const page = await openPage(browser, base);
  await page.goto(`http://${base}/#/${place}`);
  await page.locator(ready).first().waitFor();
  await page.waitForTimeout(500);
  await page.screenshot({ path: file });
}

async function openPage(browser, base) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 760 }, locale: "en-GB", timezoneId: "Asia/Seoul" });
  const { link } = await (await fetch(`http://${base}/mirror/v1/session`, { method: "POST", headers })).json();
  const page = await context.newPage();
  await page.goto(link);
  return page;
}

const daemon = await start(program, ["serve", "--sandbox"], environment, /listens on ([\d.]+:\d+)/);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
try {
  const base = daemon.found[1];
  const complete = async () => (await (await fetch(`http://${base}/mirror/v1/status`, { headers })).json()).mirror.complete;
  while (!(await complete())) await new Promise((resolve) => setTimeout(resolve, 100));
  await drawTerminal(browser, base, join(process.env.IMAGES, "terminal.png"));
  await drawPage(browser, base, join(process.env.IMAGES, "page.png"));
  await drawView(browser, base, "insights?days=90", ".insights svg", join(process.env.IMAGES, "insights.png"));
  await drawView(browser, base, "state", ".calendar, .state", join(process.env.IMAGES, "state.png"));
} finally {
  await browser.close();
  await stop(daemon);
  rmSync(home, { recursive: true });
}
