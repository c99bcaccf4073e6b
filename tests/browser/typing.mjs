// SPDX-License-Identifier: Apache-2.0
// Keys and compositions as Chromium gets them from a keyboard and an input method, over its debugging protocol.

const [firstSyllable, medials, finals] = [0xac00, 21, 28];
const initialLetters = [..."ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"];
const finalLetters = ["", ..."ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"];
const isSyllable = (c) => c >= "가" && c <= "힣";

/** How a Korean keyboard puts a word together: [{commit, show}], what is settled by a key and what is in the making. The
    first letter of a syllable stands at the end of the one before until its vowel comes: 여, 옇, 해. */
export function hangulSteps(word) {
  const steps = [];
  const syllables = [...word];
  syllables.forEach((syllable, i) => {
    const code = syllable.charCodeAt(0) - firstSyllable;
    const final = code % finals;
    const open = String.fromCharCode(firstSyllable + code - final);
    const initial = initialLetters[Math.floor(code / finals / medials)];
    const borrowed = i > 0 && isBorrowed(syllables[i - 1], initial);
    if (!borrowed) steps.push({ commit: syllables[i - 1] ?? "", show: initial });
    steps.push({ commit: borrowed ? syllables[i - 1] : "", show: open });
    if (final > 0) steps.push({ commit: "", show: syllable });
    const next = syllables[i + 1];
    if (next && isSyllable(next)) {
      const lent = initialLetters[Math.floor((next.charCodeAt(0) - firstSyllable) / finals / medials)];
      if (isBorrowed(syllable, lent)) steps.push({ commit: "", show: String.fromCharCode(open.charCodeAt(0) + finalLetters.indexOf(lent)) });
    }
  });
  return steps;
}

function isBorrowed(syllable, initial) {
  return isSyllable(syllable) && (syllable.charCodeAt(0) - firstSyllable) % finals === 0 && finalLetters.includes(initial);
}

/** The keys of one page; `pause` milliseconds between them. after() is awaited behind each. */
export async function makeTypist(page, pause, after = async () => {}) {
  const session = await page.context().newCDPSession(page);
  const send = (name, values) => session.send(`Input.${name}`, values);
  const wait = async () => {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    await after();
  };
  const compose = (text) => send("imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });

  async function key(name, code = name, keyCode = 0, modifiers = 0) {
    const text = name === "Enter" ? "\r" : name.length === 1 ? name : undefined;
    const event = { key: name, code, windowsVirtualKeyCode: keyCode, modifiers };
    await send("dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...event });
    await send("dispatchKeyEvent", { type: "keyUp", ...event });
    await wait();
  }

  return {
    key, send,
    async latin(text) {
      for (const c of text) await key(c, c === " " ? "Space" : "", /[a-z0-9 ]/i.test(c) ? c.toUpperCase().charCodeAt(0) : 0);
    },
    /** Leaves the last syllable in the making, until settle(). */
    async hangul(word) {
      for (const { commit, show } of hangulSteps(word)) {
        if (commit) await send("insertText", { text: commit });
        await compose(show);
        await wait();
      }
    },
    async kana(...states) {
      for (const state of states) {
        await compose(state);
        await wait();
      }
    },
    async settle(text) {
      await send("insertText", { text });
      await wait();
    },
  };
}
