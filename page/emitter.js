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

/** Calls `act` one time after the other: the next begins when the last has ended. What comes meanwhile is one call, of
    merge(what waits, what came). So nothing older is shown after something newer. */
export function oneAtATime(act, merge = (_, fresh) => fresh) {
  let waiting = null; // in a list of one
  let isAtWork = false;
  return async (value) => {
    waiting = [waiting ? merge(waiting[0], value) : value];
    if (isAtWork) return;
    isAtWork = true;
    try {
      while (waiting) {
        const [next] = waiting;
        waiting = null;
        await act(next);
      }
    } finally {
      isAtWork = false;
    }
  };
}

/** Calls `act` once, `ms` after the last of many calls. */
export function settle(act, ms) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), ms);
  };
}
