// SPDX-License-Identifier: Apache-2.0
// What a search found, by conversation: its first hit with the words marked, and how many there are; follows the change
// feed.
import { search } from "./api.js";
import { waitBadge } from "./badge.js";
import { fullTime, instantOf, longDay, shortTime, zone } from "./dates.js";
import { arrange, drawn, el, fill, patch, refill } from "./dom.js";
import { settle } from "./emitter.js";
import { changed } from "./feed.js";
import { senderName, unknownNotes } from "./filternames.js";
import { oddRow } from "./list.js";
import { endless } from "./scroll.js";
import { language, t } from "./i18n.js";
import { ratingMark } from "./ratingmark.js";
import { hasDays } from "./query.js";
import { go, writePlace } from "./router.js";
import { snippetNodes, snippetPieces } from "./snippet.js";
import { nothing, say } from "./notifications.js";
import { plainLine, said, speech } from "./text.js";
import { worst, writesOf } from "./pending.js";

const mostPages = 10; // that are asked for again at a change

function coverageNote({ coverage, index }) {
  if (!index.complete) return t("indexing");
  if (coverage.complete) return null;
  const from = instantOf(coverage.from);
  return from ? t("notComplete", { from: longDay(from, language()) }) : t("notCompleteYet");
}

export function resultsView({ q, sort }) {
  const head = el("div", { class: "results-head" });
  const list = el("ul", { class: "rows" });
  const pages = endless({ load, show: (hits) => list.append(...hits.map(itemOf).filter((item) => item.parentNode !== list)), whenEmpty: () => nothing(t("nothingFound"), t("nothingFoundHint")) });
  const items = new Map(); // conversation -> its item
  let current = "";
  let asked = new AbortController(); // for how it is now
  let over = false;

  async function load(cursor, signal) {
    const answer = await search(q, sort, cursor, signal);
    if (!cursor && !signal.aborted) showHead(answer);
    return { items: answer.results, next: answer.next };
  }

  function sumOf(answer) {
    const count = answer.total;
    const matches = answer.totalExact === false ? t("foundMany", { count }) : t("found", { count });
    return count > 0 && answer.conversations != null && answer.totalExact !== false ? t("foundIn", { matches, count: answer.conversations }) : matches;
  }

  function headOf(answer) {
    const note = coverageNote(answer);
    return [el("p", { class: "sum" }, sumOf(answer)), orders(), hasDays(q) && el("p", { class: "hint" }, t("daysOf", { zone: zone() })), note && el("p", { class: "hint" }, note),
      ...unknownNotes(answer.unknownFilters).map((said) => el("p", { class: "hint hint-wrong", dir: "auto" }, said))];
  }

  function showHead(answer) {
    fill(list);
    items.clear();
    fill(head, headOf(answer));
    say([sumOf(answer), ...unknownNotes(answer.unknownFilters)].join(" "));
  }

  /** The counts, and as many pages of rows as are shown; of very many those in front, and the others stay behind them. */
  async function refresh() {
    if (over) return;
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const answer = await search(q, sort, null, signal);
      if (signal.aborted) return;
      if (list.childElementCount === 0 || answer.total === 0) return pages.start();
      const { hits, next } = await loadShown(answer, signal);
      if (signal.aborted) return;
      refill(head, headOf(answer));
      const fresh = [...new Map(hits.map((hit) => [hit.conversationId, hit])).values()].map(itemOf);
      const behind = next && fresh.length < items.size ? [...list.children].slice(fresh.length).filter((item) => !fresh.includes(item)) : [];
      arrange(list, [...fresh, ...behind]);
      for (const [id, item] of [...items]) if (item.parentNode !== list) items.delete(id);
      if (behind.length === 0) pages.goOn(items.size, next);
    } catch {
      // the next change tries again; what is shown stays
    }
  }

  async function loadShown(answer, signal) {
    const hits = [...answer.results];
    let { next } = answer;
    for (let count = 1; next && hits.length < items.size && count < mostPages; ++count) {
      const page = await search(q, sort, next, signal);
      hits.push(...page.results);
      next = page.next;
    }
    return { hits, next };
  }

  function orders() {
    const one = (name, label) => el("button", { type: "button", "aria-pressed": String(sort === name), onclick: () => go({ view: "list", q, sort: name }, { replace: true }) }, label);
    return el("div", { class: "switch", role: "group", "aria-label": t("sort") }, one("newest", t("sortNewest")), one("relevance", t("sortRelevance")));
  }

  function row(hit) {
    const when = instantOf(hit.timestamp);
    const text = snippetPieces(hit.snippet).map((piece) => piece.text).join("");
    const isTitle = !hit.chatId && text === plainLine(hit.title); // it would only say the title again
    const place = { view: "read", id: hit.conversationId, q, sort, chat: hit.chatId, at: hit.timestamp };
    return el("a", { class: "row", href: writePlace(place), "data-id": hit.conversationId, "aria-current": hit.conversationId === current ? "true" : null },
      el("span", { class: "row-top" },
        isTitle ? el("span", { class: "row-title snippet", ...speech(text) }, ...snippetNodes(hit.snippet)) : said("span", { class: "row-title" }, plainLine(hit.title) || t("untitled")),
        when && el("time", { datetime: hit.timestamp, title: fullTime(when, language()) }, shortTime(when, language(), Date.now()))),
      !isTitle && el("span", { class: "row-text snippet", ...speech(text) }, ...snippetNodes(hit.snippet)),
      el("span", { class: "row-foot" },
        said("span", { class: "who" }, plainLine(hit.user) || t("nobody")),
        hit.chatId && hit.sender && el("span", {}, senderName(hit.sender)),
        isTitle && el("span", {}, t("titleHit")),
        ratingMark(hit.rating),
        hit.matchesInConversation > 1 && el("span", { class: "count" }, t("matchesHere", { count: hit.matchesInConversation })),
        waitBadge(worst(writesOf(hit.conversationId)))));
  }

  // One of a conversation: it may come again with a later page, because others came before it.
  function itemOf(hit) {
    const fresh = drawn(() => row(hit), () => oddRow(hit.conversationId));
    const known = items.get(hit.conversationId);
    if (known) patch(known.firstChild, fresh);
    else items.set(hit.conversationId, el("li", {}, fresh));
    return items.get(hit.conversationId);
  }

  const end = changed.on(settle(refresh, 500));

  return {
    node: el("div", {}, head, list, pages.foot),
    name: t("results"),
    isEmpty: () => list.childElementCount === 0,
    start: () => pages.start(),
    stop: () => ((over = true), asked.abort(), end(), pages.stop()),
    mark(id) {
      current = id ?? "";
      for (const link of list.querySelectorAll("a.row")) {
        if (link.dataset.id === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
  };
}
