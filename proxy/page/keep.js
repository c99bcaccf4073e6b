// SPDX-License-Identifier: Apache-2.0
// What the page remembers of a reader's choices, in the browser: language, theme. Never anything of a conversation.

export function kept(name) {
  try {
    return globalThis.localStorage?.getItem(`alli-mirror.${name}`) ?? null;
  } catch {
    return null; // storage is switched off
  }
}

export function keep(name, value) {
  try {
    globalThis.localStorage?.setItem(`alli-mirror.${name}`, value);
  } catch {
    // the choice holds until the page is left
  }
}
