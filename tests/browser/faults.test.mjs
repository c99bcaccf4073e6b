// SPDX-License-Identifier: Apache-2.0
// Small faults that were found in a browser once, each with a test of its own: the link to the service, the calendar's days, the
// help, a conversation that is not there, arrows over messages, hits in titles, Enter in the search field, a narrow screen. And the
// dialogs, for who cannot see them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { makeWorld } from "./world.mjs";

const axe = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const pictures = process.env.ALLI_PICTURES;
let world;
before(async () => (world = await makeWorld({ ALLI_MIRROR_PAGE_ALLI_URL: "https://alli.example/c/{id}?from=mirror" })));
after(() => world?.end());

async function ask(path, method = "GET", body) {
  const answer = await fetch(world.base + path, { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}
const idOf = async (word) => (await ask(`/mirror/v1/search?q=${encodeURIComponent(word)}`)).results[0].conversationId;
const rename = (id, title) => ask(`/webapi/v2/conversations/${encodeURIComponent(id)}/title`, "PUT", { title });
const at = (id) => `#/c/${encodeURIComponent(id)}`;

/** `prepare(page)` is called before anything is asked for. */
async function open(hash, options, act, prepare = async () => {}) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.stack));
  try {
    await prepare(page);
    await page.goto(`${world.base}/${hash}`);
    await act(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

for (const [locale, name] of [["en-US", "Open in Alli"], ["ko-KR", "Alli에서 열기"], ["ja-JP", "Alliで開く"]])
  test(`a conversation leads to the service's own page, ${locale}`, async () => {
    const id = await idOf("lighthouse");
    await open(at(id), { locale }, async (page) => {
      const link = page.getByRole("link", { name, exact: true });
      await link.waitFor();
      const { href, target, rel } = await link.evaluate(({ href, target, rel }) => ({ href, target, rel }));
      assert.equal(href, `https://alli.example/c/${encodeURIComponent(id)}?from=mirror`);
      assert.equal(target, "_blank");
      assert.match(rel, /\bnoopener\b.*\bnoreferrer\b/);
    });
  });

test("where no address is set there is no link to the service", async () => {
  const withoutAddress = (page) => page.route(/\/mirror\/v1\/status\?/, async (route) => {
    const answer = await route.fetch();
    const status = await answer.json();
    await route.fulfill({ response: answer, json: { ...status, page: { ...status.page, alliUrl: null } } });
  });
  await open(at(await idOf("lighthouse")), {}, async (page) => {
    await page.locator(".facts").waitFor();
    await page.locator(".pill-good").waitFor(); // the status has come
    assert.equal(await page.locator(".facts a[target]").count(), 0);
  }, withoutAddress);
});

test("a day of the calendar is clicked, and what was said on it is found", () =>
  open("#/state", {}, async (page) => {
    const day = page.locator(".days a").last();
    await day.waitFor();
    const label = await day.getAttribute("aria-label");
    const from = Date.parse(await day.getAttribute("data-day"));
    await day.click();
    await page.locator("body[data-view=list] .results-head .sum").waitFor();
    const q = new URLSearchParams(new URL(page.url()).hash.slice(3)).get("q");
    const [, after, before] = /^after:"?([^" ]+)"? before:"?([^" ]+)"?$/.exec(q) ?? assert.fail(q);
    assert.equal(Date.parse(after), from - 1, label);
    assert.equal(Date.parse(before), from + 86_400_000);
    await page.locator(".side a.row").first().waitFor();
    assert.equal(await page.locator(".chips button.chip:not(.chip-add)").count(), 2);
  }));

test("the calendar opens at today, and its legend tells number and completeness apart", () =>
  open("#/state", { viewport: { width: 360, height: 740 } }, async (page) => {
    await page.waitForFunction(() => {
      const today = document.querySelector(`.days [data-day="${new Date().toISOString().slice(0, 10)}"]`); // made anew with the numbers
      if (!today?.getClientRects().length) return false;
      const [inner, outer] = [today, today.closest(".days-scroll")].map((node) => node.getBoundingClientRect());
      return inner.left >= outer.left && inner.right <= outer.right;
    });
    const keys = page.locator(".calendar .key");
    assert.equal(await keys.count(), 2);
    assert.match(await keys.nth(0).innerText(), /few.*many/is);
    assert.match(await keys.nth(1).innerText(), /complete.*part.*not/is);
  }));

for (const [locale, viewport] of [["en-US", { width: 1280, height: 800 }], ["ko-KR", { width: 800, height: 600 }], ["ja-JP", { width: 360, height: 740 }]])
  test(`the help names its keys apart, and can be closed, ${locale} at ${viewport.width}x${viewport.height}`, () =>
    open("", { locale, viewport }, async (page) => {
      await page.locator("a.row").first().waitFor();
      await page.keyboard.press("?");
      const dialog = page.locator("dialog[open]");
      const words = await dialog.locator(".keys tr").evaluateAll((rows) => rows.filter((row) => row.querySelector("kbd")).map((row) => row.querySelector("td").innerText));
      assert.ok(words.length > 8);
      assert.equal(new Set(words).size, words.length, `one name for two keys: ${words}`);
      const close = dialog.locator("form button");
      for (const end of [0, 1e6]) {
        await dialog.evaluate((node, top) => (node.scrollTop = top), end);
        const seen = await close.evaluate((button) => {
          const { left, right, top, bottom } = button.getBoundingClientRect();
          const points = [[left + 4, top + 4], [right - 4, top + 4], [left + 4, bottom - 4], [right - 4, bottom - 4]];
          return points.every(([x, y]) => button.contains(document.elementFromPoint(x, y)));
        });
        assert.ok(seen, "Close is cut or covered");
      }
      await close.click();
      await dialog.waitFor({ state: "detached" });
    }));

test("a conversation that is not there is said in words alone", () =>
  open("#/c/nothing-like-it", {}, async (page) => {
    await page.locator(".reader .empty-title").waitFor();
    const text = await page.locator(".reader").innerText();
    assert.match(text, /This conversation is not there/);
    assert.doesNotMatch(text, /[<>‹›]/);
    assert.equal(await page.locator(".reader svg").count(), 0);
    await page.getByRole("button", { name: "Back" }).click();
    await page.locator("body[data-view=list]").waitFor();
  }));

for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }])
  test(`the arrows to both ends lie over no message, ${viewport.width} wide`, async () => {
    await open(at(await idOf("paperline")), { viewport }, async (page) => {
      await page.locator(".chat-user .bubble").first().waitFor();
      for (const part of [0, 0.5, 1]) {
        const over = await page.evaluate(async (part) => {
          const list = document.querySelector(".timeline");
          list.scrollTop = part * list.scrollHeight;
          for (let frames = 0; frames < 300 && (frames < 3 || !document.querySelector(".bubble")); ++frames) await new Promise(requestAnimationFrame);
          const frame = list.getBoundingClientRect();
          const arrows = [...document.querySelectorAll(".ends button")].map((node) => node.getBoundingClientRect());
          const bubbles = [...document.querySelectorAll(".bubble")].map((node) => node.getBoundingClientRect());
          const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && Math.max(b.top, frame.top) < a.bottom;
          return { arrows: arrows.length, bubbles: bubbles.length, over: bubbles.filter((b) => b.bottom > frame.top && arrows.some((a) => meets(a, b))).length };
        }, part);
        assert.equal(over.arrows, 2);
        assert.ok(over.bubbles > 0);
        assert.equal(over.over, 0);
      }
    });
  });

test("a hit in a title says it once, with the words marked", async () => {
  const id = await idOf("lighthouse");
  await rename(id, "Zanzibar itinerary");
  await open("#/?q=zanzibar", {}, async (page) => {
    const row = page.locator(".side a.row", { has: page.locator("mark", { hasText: "Zanzibar" }) });
    await row.waitFor();
    assert.equal((await row.innerText()).split("Zanzibar itinerary").length - 1, 1);
    assert.equal(await row.locator(".row-text").count(), 0);
  });
});

test("Enter in the search field opens the first hit, however soon it is pressed", async () => {
  const [first, second] = (await ask("/mirror/v1/search?q=the&group=conversation")).results;
  assert.ok(first.chatId && second, "a message, and others");
  for (const wait of [true, false])
    await open("", {}, async (page) => {
      await page.locator("a.row").first().waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("the");
      if (wait) await page.locator(".side .snippet mark").first().waitFor();
      await page.keyboard.press("Enter");
      await page.locator(".chat-target").waitFor();
      assert.equal(decodeURIComponent(/#\/c\/([^?]*)/.exec(page.url())[1]), first.conversationId);
      assert.equal(await page.locator(".chat-target").getAttribute("data-chat"), first.chatId);
    });
});

/** Words that stand on two lines: [word, where]. Not of what somebody wrote. */
const brokenWords = () => {
  const broken = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const holder = text.parentElement;
    if (holder.closest(".message, .snippet, .row-text, script, style, .unseen, .brand, pre, code") || !holder.checkVisibility()) continue;
    for (const { 0: word, index } of text.data.matchAll(/[\p{Script=Latin}\p{Script=Hangul}]{2,16}/gu)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = new Set([...range.getClientRects()].filter(({ width }) => width > 0).map(({ top }) => Math.round(top)));
      if (lines.size > 1) broken.push([word, holder.className || holder.nodeName]);
    }
  }
  return broken;
};

for (const [locale, title] of [["en-US", "An ordinary title of several words about cancelling a reservation"], ["ko-KR", "예약을 취소하고 환불받는 방법을 물어본 대화의 평범한 제목"]])
  test(`on a narrow screen a conversation's head leaves room for it, and no word breaks, ${locale}`, async () => {
    const id = await idOf("paperline");
    await rename(id, title);
    await open(at(id), { viewport: { width: 360, height: 740 }, locale }, async (page) => {
      await page.locator(".title h2", { hasText: title }).waitFor();
      await page.locator(".chat").first().waitFor();
      const { head, bar } = await page.evaluate(() => ({ head: document.querySelector(".reader-head").getBoundingClientRect().height, bar: document.querySelector(".bar").getBoundingClientRect().height }));
      assert.ok(head <= 740 / 6, `${head} pixels of head`);
      assert.ok(head + bar <= 740 / 4, `${head} + ${bar} pixels above the messages`);
      if (pictures) await page.screenshot({ path: `${pictures}/narrow-reader-${locale}.png` });
      for (const hash of [at(id), "#/", "#/?q=lighthouse", "#/state", "#/insights"]) {
        await page.goto(`${world.base}/${hash}`);
        await page.locator({ "#/state": ".write", "#/insights": ".tiles", [at(id)]: ".title h2" }[hash] ?? "a.row").first().waitFor();
        assert.deepEqual(await page.evaluate(brokenWords), [], hash);
      }
    });
  });

// As if this user had others: the list is of one machine's daemons.
const withOthers = (page) => page.route(/\/mirror\/v1\/projects\?/, (route) => route.fulfill({ json: { projects: [["hotel", world.base, true], ["shop", "http://127.0.0.1:9", false], ["cafe", null, false]].map(([name, origin, current]) => ({ name, origin, current })) } }));
const dialogs = {
  projects: (page) => page.keyboard.press("p"),
  help: (page) => page.keyboard.press("?"),
  choices: (page) => page.locator(".tools button:has(.icon-globe)").click(),
  exports: (page) => page.locator(".tools button:has(.icon-export)").click(),
  filter: (page) => page.locator(".chip-add").click(),
};
for (const [name, show] of Object.entries(dialogs))
  for (const [manner, options] of Object.entries({ light: { colorScheme: "light" }, dark: { colorScheme: "dark", locale: "ko-KR" }, narrow: { viewport: { width: 360, height: 740 }, locale: "ja-JP" } }))
    test(`the dialog ${name}, ${manner}: no serious fault for who cannot see it all`, () =>
      open("#/?q=lighthouse", options, async (page) => {
        await page.locator("a.row").first().waitFor();
        await show(page);
        await page.locator("dialog[open]").waitFor();
        if (pictures) await page.screenshot({ path: `${pictures}/dialog-${name}-${manner}.png` });
        const kinds = name === "filter" ? await page.locator("#filter-kind option").evaluateAll((all) => all.map(({ value }) => value)) : [""];
        for (const kind of kinds) {
          if (kind) await page.locator("#filter-kind").selectOption(kind);
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => window.axe.run());
          const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
          assert.deepEqual(serious.map(({ id, nodes }) => `${kind} ${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 150))}`), []);
        }
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than the screen");
      }, withOthers));

test("a message is copied as it reads", async () => {
  const id = await idOf("lighthouse");
  const { chats } = await ask(`/webapi/v2/conversations/${encodeURIComponent(id)}/chats`);
  const said = chats.find(({ sender, message }) => sender === "USER" && typeof message === "string");
  await open(at(id), { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    const row = page.locator(`[data-chat="${said.id}"]`);
    await row.hover();
    await row.getByRole("button", { name: "Copy message" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), said.message);
  });
});

test("a mirror that is not running is not called offline", async () => {
  await open("", {}, async (page) => {
    await page.getByText("Up to date").first().waitFor();
    await page.route(/\/mirror\/v1\/status/, (route) => route.abort());
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.getByText("Mirror not running").first().waitFor();
    assert.equal(await page.getByText("Offline", { exact: true }).count(), 0);
  });
});
