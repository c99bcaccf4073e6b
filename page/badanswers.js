// SPDX-License-Identifier: Apache-2.0
// From one badly rated answer to the next, newest first, across conversations: within what is searched for, or all.
import { searchEach } from "./api.js";
import { t } from "./i18n.js";
import { note, noteFailure } from "./notifications.js";
import { withFilter, withoutFilter } from "./query.js";
import { go, here } from "./router.js";

let q = null; // what the answers below were found by
let found = [];
let next = null;

async function more() {
  const { results, next: cursor } = await searchEach(q, next);
  found.push(...results.filter(({ chatId }) => chatId));
  next = cursor;
}

let isGoing = false; // a key that is held down asks again and again: what is found would be found twice

/** step: 1 for the next one, -1 for the one before. One at a time. */
export async function goToBad(step) {
  if (isGoing) return;
  isGoing = true;
  try {
    await goOn(step);
  } catch (error) {
    noteFailure(error);
  } finally {
    isGoing = false;
  }
}

async function goOn(step) {
  const place = here();
  const wanted = withFilter(withoutFilter(place.q ?? "", "rating"), "rating", "bad");
  if (wanted !== q || !found.some(({ chatId }) => chatId === place.chat)) {
    [q, found, next] = [wanted, [], null];
    await more();
  }
  const at = found.findIndex(({ conversationId, chatId }) => conversationId === place.id && chatId === place.chat) + step;
  if (at >= found.length && next) await more();
  const hit = at >= 0 ? found[at] : null;
  if (!hit) return note(t("noMoreBad"), "wait");
  go({ view: "read", id: hit.conversationId, chat: hit.chatId, at: hit.timestamp, q: wanted, sort: "newest" });
}
