// SPDX-License-Identifier: Apache-2.0
// Searching as people type: letter by letter, through input methods, with filters, in the middle of what is there; slowly
// and fast.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeTypist } from "./typing.mjs";
import { makeWorld } from "./world.mjs";

let world;
before(async () => (world = await makeWorld()));
after(() => world?.end());

const speeds = { "key by key": 25, "at once": 0 };

async function open(act, options = {}) {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.stack));
  await page.goto(`${world.base}/`, { waitUntil: "domcontentloaded" });
  await page.locator(".side a.row").first().waitFor();
  try {
    await act(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

const state = (page) =>
  page.evaluate(() => ({
    q: new URLSearchParams(location.hash.split("?")[1] ?? "").get("q") ?? "",
    value: document.getElementById("search").value,
    caret: document.getElementById("search").selectionStart,
    focused: document.activeElement.id === "search",
    chips: [...document.querySelectorAll(".chip:not(.chip-add)")].map((chip) => chip.textContent),
  }));

/** Waits until the query in the address is this, and what is shown belongs to it. */
async function asks(page, q) {
  await page.waitForFunction((wanted) => (new URLSearchParams(location.hash.split("?")[1] ?? "").get("q") ?? "") === wanted, q, { timeout: 5000 });
}

/** Empty, without chips, and with the focus. */
async function clear(page) {
  await page.locator("#search").fill("x");
  await page.locator(".clear").click();
  await asks(page, "");
}

const korean = ["여행", "여행지", "싶어요", "찾아볼게요", "서울"];

for (const [name, pause] of Object.entries(speeds)) {
  test(`what is being composed is searched for, ${name}: Korean`, () =>
    open(async (page) => {
      await page.locator("#search").focus();
      const typist = await makeTypist(page, pause, async () => pause > 0 && asks(page, await page.locator("#search").inputValue()));
      for (const word of korean) {
        await page.locator("#search").fill("");
        await typist.hangul(word);
        await asks(page, word); // its last syllable still in the making
        assert.equal((await state(page)).value, word);
        await typist.settle([...word].at(-1));
        await asks(page, word);
      }
      await page.locator("#search").fill("");
      await typist.hangul("여행");
      await page.locator(".snippet mark", { hasText: "여행" }).first().waitFor();
      assert.equal(await page.locator(".side .empty").count(), 0, "it says that nothing was found");
    }));

  test(`what is being composed is searched for, ${name}: Japanese`, () =>
    open(async (page) => {
      await page.locator("#search").focus();
      const typist = await makeTypist(page, pause);
      for (const [states, word] of [[["お", "おn", "おん", "おんs", "おんせ", "おんせん"], "温泉"], [["や", "やd", "やど"], "宿"], [["あ", "あん", "あんな", "あんない"], "案内"]]) {
        await page.locator("#search").fill("");
        await typist.kana(...states, word);
        await page.locator(".snippet mark", { hasText: word }).first().waitFor();
        await typist.settle(word);
        await asks(page, word);
        assert.equal((await state(page)).focused, true);
      }
    }));

  test(`a filter is typed like any word, ${name}`, () =>
    open(async (page) => {
      await page.locator("#search").focus();
      const typist = await makeTypist(page, pause);
      for (const [typed, chips, value] of [
        ["user:mina ", ["User mina"], ""],
        ["app:store now", ["App store"], "now"],
        ["see app:store now", ["App store"], "see now"],
        ["category:refunds x", ["Category refunds"], "x"],
        ["sender:USER y", ["Sender User"], "y"],
        ["after:2026-01-05 before:2026-02-01 z", ["After 2026-01-05", "Before 2026-02-01"], "z"],
        ['user:"Mina Park" hotel', ["User Mina Park"], "hotel"],
        ["USER:mina ", ["User mina"], ""],
      ]) {
        await clear(page);
        await typist.latin(typed);
        const now = await state(page);
        assert.deepEqual([now.chips, now.value], [chips, value], typed);
        assert.equal(now.focused, true);
      }
    }));

  test(`what is no filter stays text, ${name}`, () =>
    open(async (page) => {
      await page.locator("#search").focus();
      const typist = await makeTypist(page, pause);
      for (const typed of ["user: mina ", "http://x.test/a b", "after:tomorrow ", "after:2026-02-31 ", "-user:mina ", "a:b c ", '"user:mina', "10:30 "]) {
        await clear(page);
        await typist.latin(typed);
        const now = await state(page);
        assert.deepEqual([now.chips, now.value], [[], typed]);
      }
    }));

  test(`words typed into the middle stay there, ${name}`, () =>
    open(async (page) => {
      await page.locator("#search").focus();
      const typist = await makeTypist(page, pause);
      await typist.latin("the  light");
      for (let i = 0; i < 6; ++i) await typist.key("ArrowLeft", "ArrowLeft", 37);
      await typist.latin("old ");
      await asks(page, "the old light");
      let now = await state(page);
      assert.deepEqual([now.value, now.caret], ["the old  light", 8]);
      await typist.latin("user:mina ");
      now = await state(page);
      assert.deepEqual([now.value, now.caret, now.chips], ["the old  light", 8, ["User mina"]]);
      await typist.hangul("바다");
      await typist.settle("다");
      await asks(page, "user:mina the old 바다 light");
      now = await state(page);
      assert.deepEqual([now.value, now.caret], ["the old 바다 light", 10]);
    }));
}

test("a filter becomes a chip at Enter and where the field is left, and text again by Backspace", () =>
  open(async (page) => {
    await page.locator("#search").focus();
    const typist = await makeTypist(page, 0);
    await typist.latin("lighthouse user:mina");
    assert.deepEqual((await state(page)).chips, []);
    await typist.key("Enter", "Enter", 13);
    let now = await state(page);
    assert.deepEqual([now.chips, now.value, now.focused], [["User mina"], "lighthouse ", true]);
    for (let i = 0; i < 11; ++i) await typist.key("ArrowLeft", "ArrowLeft", 37);
    await typist.key("Backspace", "Backspace", 8);
    now = await state(page);
    assert.deepEqual([now.chips, now.value, now.caret], [[], "user:mina lighthouse ", 9]);
    await typist.latin("x");
    await asks(page, "user:minax lighthouse");
    await page.locator(".brand").focus();
    now = await state(page);
    assert.deepEqual([now.chips, now.value], [["User minax"], "lighthouse "]);
    await page.locator(".chip", { hasText: "minax" }).click();
    await asks(page, "lighthouse");
    assert.equal((await state(page)).focused, true);
    await page.goBack();
    await page.goForward();
    assert.equal((await state(page)).value, "lighthouse");
  }));

test("what is typed stays and is searched for where the browser takes no more addresses for a while", () =>
  open(async (page) => {
    await page.evaluate(() => {
      const real = history.replaceState.bind(history);
      let refusals = 0;
      history.pushState = () => {};
      history.replaceState = (...values) => {
        if (++refusals > 8) return real(...values);
        if (refusals % 2) throw new DOMException("too many", "SecurityError"); // Safari; Chromium says nothing
      };
    });
    await page.locator("#search").focus();
    const typist = await makeTypist(page, 15);
    await typist.latin("harbour");
    await page.locator(".snippet mark", { hasText: "harbour" }).first().waitFor();
    assert.equal((await state(page)).value, "harbour");
    await typist.latin(" x y z");
    await asks(page, "harbour x y z");
    assert.equal((await state(page)).value, "harbour x y z");
  }));

test("keys work whatever the layout writes, and Enter that ends a composition does nothing else", () =>
  open(async (page) => {
    const typist = await makeTypist(page, 0);
    const focused = () => page.evaluate(() => document.activeElement.className);
    for (const [key, code, keyCode] of [["ㅓ", "KeyJ", 74], ["ま", "KeyJ", 74], ["о", "KeyJ", 74], ["J", "KeyJ", 74], ["Process", "KeyJ", 229]]) {
      await page.evaluate(() => document.activeElement.blur());
      await typist.key(key, code, keyCode);
      assert.equal(await focused(), "row", key);
    }
    await typist.key("め", "Slash", 191);
    assert.equal((await state(page)).focused, true);
    await typist.hangul("바다");
    await typist.settle("다");
    await page.locator(".snippet mark").first().waitFor();
    await typist.key("Enter", "Enter", 229);
    assert.equal((await state(page)).focused, true, "Enter of the input method acts");
    await typist.key("Enter", "Enter", 13);
    await page.locator("body[data-view=read] .reader h2", { hasText: "바다" }).waitFor(); // the first hit is opened
  }));
