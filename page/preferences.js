// SPDX-License-Identifier: Apache-2.0
// The reader's preferences in the browser's storage: language, theme. Nothing of a conversation.

export function loadPreference(name) {
  try {
    return globalThis.localStorage?.getItem(`alli-mirror.${name}`) ?? null;
  } catch {
    return null; // storage is switched off
  }
}

export function savePreference(name, value) {
  try {
    globalThis.localStorage?.setItem(`alli-mirror.${name}`, value);
  } catch {
    // the choice holds until the page is left
  }
}
