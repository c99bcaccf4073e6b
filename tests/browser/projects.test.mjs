// SPDX-License-Identifier: Apache-2.0
// Two projects of one user, a daemon each: the page of one leads to the page of the other, by mouse and by keyboard, in each
// language, and asks nothing of the other daemon itself.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { start, stop } from "./start.mjs";
import { makeWorld } from "./world.mjs";

let world, shop;
/** ~/.config/alli-mirror/NAME/config.toml, as --config takes it. */
function putSettings(name, text) {
  const folder = join(world.home, ".config", "alli-mirror", name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "config.toml"), text, { mode: 0o644 });
  return join(folder, "config.toml");
}

before(async () => {
  world = await makeWorld();
  putSettings("hotel", `[mirror]\npath = "${world.home}/mirror.db"\n`); // that of the world
  mkdirSync(join(world.home, "shop"), { mode: 0o700 });
  const file = putSettings("shop", `[mirror]\npath = "${world.home}/shop/mirror.db"\n[upstream]\nurl = "${world.upstream}"\n[proxy]\nlisten = ["127.0.0.1:0"]\n`);
  shop = await start(process.env.PROGRAM, ["--config", file, "serve"], { HOME: world.home, ALLI_API_KEY: "sandbox" }, /listens on 127\.0\.0\.1:(\d+)/);
  shop.base = `http://127.0.0.1:${shop.found[1]}`;
});
after(async () => {
  if (shop?.child.exitCode === null) await stop(shop);
  await world?.end();
});

async function visit(locale, act) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(world.base);
    await page.locator(".side a.row").first().waitFor();
    await act(page, context);
  } finally {
    await context.close();
  }
}

for (const [locale, name, mark] of [["en-US", "Projects", "this one"], ["ko-KR", "프로젝트", "현재 프로젝트"], ["ja-JP", "プロジェクト", "表示中"]])
  test(`the header leads to the other project: ${locale}`, () =>
    visit(locale, async (page) => {
      const asked = [];
      page.on("request", (request) => request.url().startsWith(shop.base) && asked.push(request.url()));
      await page.getByRole("button", { name, exact: true }).click();
      const dialog = page.getByRole("dialog", { name });
      assert.match(await dialog.locator("li", { hasText: "hotel" }).innerText(), new RegExp(mark));
      assert.deepEqual(asked, [], "until somebody goes there");
      await dialog.getByRole("link", { name: "shop" }).click();
      await page.waitForURL(`${shop.base}/`);
      await page.locator("input").first().waitFor(); // the sign-in of that project
      assert.equal(asked[0], `${shop.base}/`);
    }));

test("by the keyboard alone; with a session there, its conversations are shown", () =>
  visit("en-US", async (page, context) => {
    const made = await fetch(`${shop.base}/mirror/v1/session`, { method: "POST", headers: { "API-KEY": "sandbox" } });
    const other = await context.newPage();
    await other.goto((await made.json()).link);
    await other.locator(".side a.row").first().waitFor();
    await page.keyboard.press("p");
    await page.getByRole("dialog", { name: "Projects" }).waitFor();
    await page.keyboard.press("Enter"); // the other project has the focus
    await page.waitForURL(`${shop.base}/`);
    await page.locator(".side a.row").first().waitFor();
    await page.getByRole("button", { name: "Projects", exact: true }).click();
    await page.getByRole("link", { name: "hotel" }).click(); // and back
    await page.waitForURL(`${world.base}/`);
    await page.locator(".side a.row").first().waitFor();
  }));

test("only whoever sees all of a project is told of others", async () => {
  const ask = async (token) => fetch(`${shop.base}/mirror/v1/projects`, { headers: { "API-KEY": token } });
  const { projects } = await (await ask("sandbox")).json();
  assert.deepEqual(projects.map(({ name, current }) => [name, current]), [["hotel", false], ["shop", true]]);
  assert.deepEqual(projects.map(({ origin }) => origin), [world.base, shop.base]);
  assert.equal((await ask("wrong")).status, 401);
});

test("one that does not run is said to be so", async () => {
  await stop(shop);
  await visit("en-US", async (page) => {
    await page.getByRole("button", { name: "Projects", exact: true }).click();
    assert.match(await page.locator("dialog li", { hasText: "shop" }).innerText(), /not running/);
    assert.equal(await page.locator("dialog li a").count(), 0);
  });
});
