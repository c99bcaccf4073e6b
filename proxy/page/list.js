// SPDX-License-Identifier: Apache-2.0
// The conversations, newest first, with endless scroll; follows the change feed.
import { getConversation, listConversations } from "./api.js";
import { waitBadge } from "./badge.js";
import { fullTime, instantOf, shortTime } from "./dates.js";
import { el, fill } from "./dom.js";
import { endless } from "./endless.js";
import { language, t } from "./i18n.js";
import { oneLine } from "./message.js";
import { changed } from "./feed.js";
import { learn } from "./seen.js";
import { writePlace } from "./router.js";
import { nothing } from "./speak.js";
import { plainLine, said } from "./text.js";
import { waitsChanged, worst, writesOf } from "./waits.js";

export const nameOf = (user) => plainLine([user?.firstName, user?.lastName].filter(Boolean).join(" ") || user?.userId) || t("nobody");
export const titleOf = (conversation) => plainLine(conversation.title) || t("untitled");

const most = 20; // of changed conversations that are asked for one by one

export function listView() {
  const rows = new Map(); // id -> {item, data}
  const list = el("ul", { class: "rows" });
  const pages = endless({ load, show, whenEmpty: () => nothing(t("empty"), t("emptyHint")) });
  let current = "";

  async function load(cursor, signal) {
    const { conversations, cursor: next } = await listConversations(cursor, signal);
    return { items: conversations, next };
  }

  function show(items) {
    for (const data of items) put(data, (item) => list.append(item));
  }

  function put(data, place) {
    learn(data);
    const known = rows.get(data.id);
    const item = known?.item ?? el("li");
    fill(item, row(data));
    rows.set(data.id, { item, data });
    if (!known) place(item);
  }

  function row(data) {
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
        waitBadge(worst(writesOf(data.id)))));
  }

  const sortTime = ({ data }) => instantOf(data.lastChatTime) ?? 0;

  /** The first page again, and the few that changed further down. */
  async function refresh({ conversations, deleted, lost }) {
    if (lost) return start();
    for (const id of deleted) remove(id);
    try {
      const fresh = (await listConversations(null)).conversations;
      const listed = new Set(fresh.map(({ id }) => id));
      const others = [...conversations].filter((id) => rows.has(id) && !listed.has(id)).slice(0, most);
      const more = await Promise.all(others.map((id) => getConversation(id).catch(() => null)));
      for (const data of [...fresh, ...more.filter(Boolean)]) put(data, () => {});
      sort();
    } catch {
      // the next change tries again; what is shown stays
    }
  }

  function sort() {
    const wanted = [...rows.values()].sort((a, b) => sortTime(b) - sortTime(a)).map(({ item }) => item);
    wanted.forEach((item, index) => list.children[index] === item || list.insertBefore(item, list.children[index] ?? null));
  }

  function remove(id) {
    rows.get(id)?.item.remove();
    rows.delete(id);
  }

  function start() {
    rows.clear();
    fill(list);
    return pages.start();
  }

  const ends = [
    changed.on(refresh),
    waitsChanged.on(() => {
      for (const { item, data } of rows.values()) {
        const badge = waitBadge(worst(writesOf(data.id)));
        item.querySelector(".badge")?.remove();
        if (badge) item.querySelector(".row-foot").append(badge);
      }
    }),
  ];

  return {
    node: el("div", {}, list, pages.foot),
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
