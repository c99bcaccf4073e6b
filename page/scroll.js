// SPDX-License-Identifier: Apache-2.0
// Infinite scroll: a list that loads its next page when its end comes near.
import { el, fill } from "./dom.js";
import { t } from "./i18n.js";
import { skeleton, trouble } from "./notifications.js";

/** load(cursor, signal) gives {items, next}; show(items) puts them in place. Returns {foot, start(), goOn(), stop()}. */
export function endless({ load, show, whenEmpty }) {
  const foot = el("div", { class: "foot" });
  let abort = new AbortController();
  let cursor = null;
  let busy = false;
  let done = false;
  let count = 0;
  const watcher = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && more(), { rootMargin: "600px", scrollMargin: "600px" });

  async function more() {
    if (busy || done) return;
    busy = true;
    const { signal } = abort;
    const patience = setTimeout(() => fill(foot, skeleton(count ? 2 : 8)), count ? 100 : 250);
    try {
      const { items, next } = await load(cursor, signal);
      if (signal.aborted) return;
      count += items.length;
      cursor = next;
      done = !next;
      show(items);
      showEnd();
    } catch (error) {
      if (signal.aborted) return;
      fill(foot, trouble(error, () => more()));
      return;
    } finally {
      clearTimeout(patience);
      if (!signal.aborted) busy = false;
    }
    if (!done) watch();
  }

  function showEnd() {
    fill(foot, done ? (count ? el("p", { class: "end" }, t("endOfList")) : whenEmpty()) : "");
  }

  // A foot that is still in sight is told of again.
  function watch() {
    watcher.unobserve(foot);
    watcher.observe(foot);
  }

  return {
    foot,
    start() {
      abort.abort();
      abort = new AbortController();
      [cursor, busy, done, count] = [null, false, false, 0];
      return more();
    },
    /** What is shown, `many` of them, was asked for anew: what follows is at `next`, or there is nothing more. */
    goOn(many, next) {
      abort.abort();
      abort = new AbortController();
      [cursor, busy, done, count] = [next, false, !next, many];
      showEnd();
      if (!done) watch();
    },
    stop: () => (abort.abort(), watcher.disconnect()),
  };
}
