// SPDX-License-Identifier: Apache-2.0
// An event emitter. Pure.

export class Emitter {
  #listeners = new Set();

  /** Returns what ends it. */
  on(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(value) {
    for (const listener of [...this.#listeners]) listener(value);
  }
}

/** Calls `act` once, `ms` after the last of many calls. */
export function settle(act, ms) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), ms);
  };
}
