// SPDX-License-Identifier: Apache-2.0
// The chats of one conversation by number, loaded in pages of 100 on demand. Finds the chat of a hit by its time, by probing a few
// pages, which are in order of time.
import { listChats } from "./api.js";
import { instantOf } from "./dates.js";

const size = 100;

export class ChatPages {
  #pages = new Map(); // number from 1 -> chats, or the promise of them
  #stale = new Set(); // numbers of pages that are to be read again
  #turns = new Map(); // number -> of the request that was made last: an older answer may come after a newer one
  #abort = new AbortController();

  constructor(id, count, load = listChats) {
    this.id = id;
    this.count = count;
    this.load = load;
  }

  stop() {
    this.#abort.abort();
  }

  /** The chat at a place, from 0; none while it is not there yet. */
  at(index) {
    const page = this.#pages.get(Math.floor(index / size) + 1);
    return Array.isArray(page) ? page[index % size] : undefined;
  }

  replace(index, chat) {
    const page = this.#pages.get(Math.floor(index / size) + 1);
    if (Array.isArray(page)) page[index % size] = chat;
  }

  /** Those that are there. */
  loaded() {
    return [...this.#pages].filter(([, page]) => Array.isArray(page)).sort(([a], [b]) => a - b).flatMap(([, page]) => page);
  }

  async page(number) {
    const known = this.#pages.get(number);
    if (known && !this.#stale.has(number)) return known;
    this.#stale.delete(number);
    const turn = (this.#turns.get(number) ?? 0) + 1;
    this.#turns.set(number, turn);
    const isLast = () => this.#turns.get(number) === turn;
    const coming = this.load(this.id, number, this.#abort.signal);
    if (!Array.isArray(known)) this.#pages.set(number, coming);
    try {
      const chats = await coming;
      if (!isLast()) return chats;
      this.#pages.set(number, chats);
      this.#learnCount(number, chats.length);
      return chats;
    } catch (error) {
      if (isLast() && Array.isArray(this.#pages.get(number))) this.#stale.add(number);
      else if (isLast()) this.#pages.delete(number);
      throw error;
    }
  }

  /** All chats, those that are not there by loadNow(id, number), which does not return before they are. */
  all(loadNow) {
    const chats = [];
    for (let number = 1; ; ++number) {
      const known = this.#pages.get(number);
      const page = Array.isArray(known) && (known.length === size || number * size >= this.count) ? known : loadNow(this.id, number);
      chats.push(...page);
      if (page.length < size) return chats;
    }
  }

  // What was counted and what is there may differ: what is there counts. Behind an empty page there is nothing; what is
  // before it is not known by that.
  #learnCount(number, length) {
    const end = (number - 1) * size + length;
    if (length === size) this.count = Math.max(this.count, end);
    else if (length > 0 || number === 1) this.count = end;
    else this.count = Math.min(this.count, end);
  }

  /** Asks for the pages that hold places `from` to `to`; false when all were there. */
  async need(from, to) {
    const wanted = [];
    for (let number = Math.floor(from / size) + 1; number <= Math.floor(Math.max(from, to - 1) / size) + 1; ++number)
      if (!Array.isArray(this.#pages.get(number)) || this.#stale.has(number)) wanted.push(this.page(number));
    await Promise.all(wanted);
    return wanted.length > 0;
  }

  /** Something has changed: the pages that are there will be read again when they are needed, and serve until then. */
  expire() {
    this.#stale = new Set(this.#pages.keys());
  }

  /** The place of a chat, looked for around a time; none when it is not there. */
  async find(chat, time) {
    const last = Math.max(1, Math.ceil(this.count / size));
    let [low, high] = [1, last];
    while (time != null && low < high) {
      const middle = Math.ceil((low + high) / 2);
      const first = (await this.page(middle))[0];
      if (!first) high = middle - 1;
      else if ((instantOf(first.timestamp) ?? 0) > time + 1) high = middle - 1;
      else low = middle;
    }
    // Chats of one time may lie on both sides of a page's edge; without a time every page is looked at, the newest first.
    const order = time != null ? [low, low - 1, low + 1] : Array.from({ length: Math.min(last, 50) }, (_, i) => last - i);
    for (const number of order.filter((one) => one >= 1 && one <= last)) {
      const index = (await this.page(number)).findIndex(({ id }) => id === chat);
      if (index >= 0) return (number - 1) * size + index;
    }
    return null;
  }
}
