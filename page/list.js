// SPDX-License-Identifier: Apache-2.0
// The conversations, newest first, with endless scroll; follows the change feed.
import { countRatings, getConversation, listConversations } from "./api.js";
import { waitBadge } from "./badge.js";
import { fullTime, instantOf, shortTime } from "./dates.js";
import { arrange, drawn, el, fill, patch, removeItem } from "./dom.js";
import { endless } from "./scroll.js";
import { language, t } from "./i18n.js";
import { oneLine } from "./message.js";
import { oneAtATime } from "./emitter.js";
import { changed } from "./feed.js";
import { ratingMark } from "./ratingmark.js";
import { rememberSuggestions } from "./suggestions.js";
import { writePlace } from "./router.js";
import { nothing } from "./notifications.js";
import { plainLine, said } from "./text.js";
import { pendingChanged, worst, writesOf } from "./pending.js";

export const nameOf = (user) => plainLine([user?.firstName, user?.lastName].filter(Boolean).join(" ") || user?.userId) || t("nobody");
export const titleOf = (conversation) => plainLine(conversation.title) || t("untitled");

/** In the place of one that cannot be drawn: it leads to the conversation all the same. */
export const oddRow = (id) => el("a", { class: "row", href: writePlace({ view: "read", id }), "data-id": id }, el("span", { class: "row-title" }, t("notShown")), el("span", { class: "row-foot" }));

const both = (a, b) => ({ conversations: new Set([...a.conversations, ...b.conversations]), deleted: new Set([...a.deleted, ...b.deleted]), lost: a.lost || b.lost });

const most = 20; // of changed conversations that are asked for one by one

export function listView() {
  const rows = new Map(); // id -> {item, data, sign}
  const ratings = new Map(); // id -> false where an answer of it is rated bad, else true
  const lack = el("p", { class: "hint list-hint", role: "status", hidden: true }, t("partialList"));
  const list = el("ul", { class: "rows" });
  const pages = endless({ load, show, whenEmpty: () => nothing(t("empty"), t("emptyHint")) });
  let emptyFirst = false;
  let current = "";

  async function load(cursor, signal) {
    const { conversations, cursor: next, partial } = await listConversations(cursor, signal);
    if (!signal.aborted) lack.hidden = !partial && (lack.hidden || !cursor);
    return { items: conversations, next };
  }

  function show(items) {
    if (rows.size === 0) emptyFirst = items[0]?.lastChatTime === null;
    for (const data of items) put(data, (item) => list.append(item));
    showRatings(items.map(({ id }) => id));
  }

  // What a list item brings is the last chats alone: the mirror has counted all.
  async function showRatings(ids) {
    let rated;
    try {
      rated = await countRatings(ids);
    } catch {
      return; // the rows stand without
    }
    for (const id of ids) ratings.delete(id);
    for (const { conversationId, bad } of rated) ratings.set(conversationId, bad === 0);
    for (const id of ids) {
      const known = rows.get(id);
      if (known) patch(known.item.firstChild, row(known.data));
    }
  }

  function put(data, place) {
    rememberSuggestions(data);
    const known = rows.get(data.id);
    const sign = JSON.stringify(data);
    if (known?.sign === sign) return;
    const item = known?.item ?? el("li", {}, row(data));
    rows.set(data.id, { item, data, sign });
    if (known) patch(item.firstChild, row(data));
    else place(item);
  }

  const row = (data) => drawn(() => rowOf(data), () => oddRow(data.id));

  function rowOf(data) {
    const last = data.chats?.at(-1);
    const when = instantOf(data.lastChatTime);
    return el("a", { class: "row", href: writePlace({ view: "read", id: data.id }), "aria-current": data.id === current ? "true" : null },
      el("span", { class: "row-top" },
        said("span", { class: "row-title" }, titleOf(data)),
        when && el("time", { datetime: new Date(when).toISOString(), title: fullTime(when, language()) }, shortTime(when, language(), Date.now()))),
      last && said("span", { class: "row-text" }, plainLine(oneLine(last.message))),
      el("span", { class: "row-foot" },
        said("span", { class: "who" }, nameOf(data.user)),
        data.llmApp?.name && said("span", { class: "app" }, plainLine(data.llmApp.name)),
        data.chatCount != null && el("span", {}, t("chats", { count: data.chatCount })),
        ratingMark(ratings.get(data.id)),
        waitBadge(worst(writesOf(data.id)))));
  }

  // Those without a message are where the service has them: first, or last.
  const sortTime = ({ data }) => instantOf(data.lastChatTime) ?? (emptyFirst || data.lastChatTime !== null ? Infinity : 0);
  const byTime = (a, b) => (sortTime(a) === sortTime(b) ? 0 : sortTime(b) - sortTime(a));

  /** The first page again, and the few that changed further down: of many, or where it is not known which, all pages. */
  async function apply({ conversations, deleted, lost }) {
    for (const id of deleted) remove(id);
    if (lost) return reload();
    try {
      const { conversations: fresh, partial } = await listConversations(null);
      lack.hidden = !partial;
      const listed = new Set(fresh.map(({ id }) => id));
      const others = [...conversations].filter((id) => rows.has(id) && !listed.has(id)).slice(0, most);
      const more = await Promise.all(others.map((id) => getConversation(id).catch(() => null)));
      for (const data of [...fresh, ...more.filter(Boolean)]) put(data, () => {});
      sort();
      showRatings([...conversations].filter((id) => rows.has(id)).slice(0, 200));
    } catch {
      // the next change tries again; what is shown stays
    }
  }

  // As many pages as are shown; who is not in them any more is gone.
  async function reload() {
    const fresh = new Map();
    let isPartial = false;
    try {
      for (let cursor = null, more = true; more && fresh.size < rows.size; more = Boolean(cursor)) {
        const page = await listConversations(cursor);
        isPartial ||= page.partial;
        for (const data of page.conversations) fresh.set(data.id, data);
        cursor = page.cursor;
      }
    } catch {
      return; // what is shown stays
    }
    if (rows.size === 0) return start();
    lack.hidden = !isPartial;
    for (const id of [...rows.keys()]) if (!fresh.has(id)) remove(id);
    for (const data of fresh.values()) put(data, () => {});
    sort();
  }

  const sort = () => arrange(list, [...rows.values()].sort(byTime).map(({ item }) => item));

  function remove(id) {
    removeItem(rows.get(id)?.item);
    rows.delete(id);
  }

  function start() {
    rows.clear();
    fill(list);
    return pages.start();
  }

  const ends = [
    changed.on(oneAtATime(apply, both)),
    pendingChanged.on(() => {
      for (const { item, data } of rows.values()) {
        const badge = waitBadge(worst(writesOf(data.id)));
        item.querySelector(".badge")?.remove();
        if (badge) item.querySelector(".row-foot").append(badge);
      }
    }),
  ];

  return {
    node: el("div", {}, lack, list, pages.foot),
    name: t("list"),
    start,
    stop: () => (pages.stop(), ends.forEach((end) => end())),
    mark(id) {
      current = id ?? "";
      for (const [key, { item }] of rows) {
        if (key === current) item.firstChild.setAttribute("aria-current", "true");
        else item.firstChild.removeAttribute("aria-current");
      }
    },
  };
}
