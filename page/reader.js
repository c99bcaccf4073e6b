// SPDX-License-Identifier: Apache-2.0
// One conversation: its head, and its chats from any place on, opened at a hit where there is one.
import { getConversation } from "./api.js";
import { waitBadge } from "./badge.js";
import { chatRow, missingRow, oddChat } from "./chat.js";
import { fullTime, instantOf } from "./dates.js";
import { drawn, el, fill, iconButton, refill } from "./dom.js";
import { oneAtATime } from "./emitter.js";
import { changed } from "./feed.js";
import { kindName } from "./filternames.js";
import { health, healthChanged } from "./health.js";
import { Highlighter } from "./highlight.js";
import { language, t } from "./i18n.js";
import { addressOf, linkTo } from "./links.js";
import { nameOf, titleOf } from "./list.js";
import { readMessage } from "./message.js";
import { ChatPages } from "./chatpages.js";
import { searchText } from "./pieces.js";
import { printedConversation } from "./print.js";
import { withFilter } from "./query.js";
import { writePlace } from "./router.js";
import { rememberSuggestions } from "./suggestions.js";
import { noteFailure, nothing, skeleton, trouble } from "./notifications.js";
import { plainLine } from "./text.js";
import { Timeline } from "./timeline.js";
import { titleField } from "./title.js";
import { pendingChanged, worst, writesOf } from "./pending.js";
import { writesList } from "./writes.js";

/** place: {id, q, chat, at}; back() leaves it; named(title) is called when it has another name. */
export function readerView(place, back, named = () => {}) {
  const node = el("section", { class: "reader", "aria-label": t("list") });
  const abort = new AbortController();
  const highlighter = new Highlighter(place.q, abort.signal);
  let conversation, pages, timeline, title, facts;
  const decisions = writesList({ decided: true });
  let revealed = false;
  let renameAtOnce = false; // asked for by key while it was being fetched
  let target = null;
  let reach = 0; // how much of the target is shown, so that what was found is in it

  async function begin() {
    const patience = setTimeout(() => fill(node, skeleton(6)), 150);
    try {
      conversation = await getConversation(place.id, abort.signal);
      pages = new ChatPages(place.id, conversation.chatCount ?? conversation.chats?.length ?? 0);
      if (pages.count === 0) await pages.page(1);
      if (place.chat) target = await pages.find(place.chat, instantOf(place.at));
      if (target !== null) reach = (await highlighter.first(searchText(readMessage(pages.at(target).message))).catch(() => 0)) ?? 0;
    } catch (error) {
      if (!abort.signal.aborted) showProblem(error);
      return;
    } finally {
      clearTimeout(patience);
    }
    if (!abort.signal.aborted) show();
  }

  function problemOf(error) {
    if (error.status === 404) return nothing(t("gone"), t("goneHint"));
    if (error.status === 504) return nothing(t("notHere"), t("notHereHint"));
    return trouble(error, refresh);
  }

  function showProblem(error) {
    named(error.status === 404 ? t("gone") : t("failed"));
    timeline?.stop();
    timeline = undefined; // what changes then begins anew
    fill(node, el("div", {}, problemOf(error), el("p", { class: "actions actions-middle" }, el("button", { type: "button", onclick: back }, t("back")))));
  }

  function show() {
    rememberSuggestions(conversation);
    title = titleField(conversation, (fresh) => (named(plainLine(fresh)), refresh()));
    facts = el("div", { class: "facts" });
    timeline = new Timeline({ count: pages.count, draw, refresh: refreshRow, need, name: t("messages") });
    const ends = el("div", { class: "ends" }, iconButton("back", t("toOldest"), () => timeline.focus(0), { class: "icon-button to-oldest" }), iconButton("down", t("toNewest"), () => timeline.focus(pages.count - 1)));
    fill(node, el("header", { class: "reader-head" }, iconButton("back", t("back"), back, { class: "icon-button back" }), el("div", { class: "reader-name" }, title.node, facts, decisions.node), pages.count > 0 && ends),
      pages.count > 0 ? timeline.node : nothing(t("noChats")));
    showFacts();
    if (pages.count > 0) timeline.show(target ?? pages.count - 1, target === null ? 1 : 0.25);
    title.node.querySelector("h2").focus({ preventScroll: true });
    if (renameAtOnce) title.edit();
    renameAtOnce = false;
  }

  function filterLink(kind, value, label = value) {
    return el("a", { class: "fact", href: writePlace({ view: "list", q: withFilter("", kind, value) }) }, el("span", { class: "unseen" }, `${kindName(kind)}: `), el("bdi", {}, plainLine(label)));
  }

  function showFacts() {
    const { user, llmApp, categories, createdAt, isEnd, state, assignee } = conversation;
    named(titleOf(conversation));
    decisions.update(writesOf(place.id).filter(({ state }) => state === "conflict" || state === "failed"));
    refill(facts,
      filterLink("user", user?.userId ?? nameOf(user), nameOf(user)),
      llmApp?.name && filterLink("app", llmApp.name),
      ...(categories ?? []).map((category) => filterLink("category", category)),
      typeof state === "string" && state && filterLink("state", state),
      typeof assignee === "string" && assignee && filterLink("assignee", assignee),
      el("span", {}, t("chats", { count: pages.count })),
      createdAt && el("span", {}, t("created", { when: fullTime(instantOf(createdAt), language()) })),
      isEnd != null && el("span", {}, t(isEnd ? "ended" : "open")),
      alliLink(),
      waitBadge(worst(writesOf(place.id))));
  }

  // To the service's own page, where the settings say how its addresses are made.
  function alliLink() {
    const pattern = health.status?.page?.alliUrl;
    return pattern && el("span", {}, linkTo(addressOf(pattern, place.id), t("openInAlli")));
  }

  function draw(index) {
    const chat = pages.at(index);
    if (!chat) return missingRow();
    const row = drawn(() => chatRow(chat, contextOf(index)), oddChat);
    highlighter.add(row, index === target ? revealOnce : undefined);
    return row;
  }

  function contextOf(index) {
    return {
      conversation: place.id, index, count: pages.count, previous: pages.at(index - 1), isTarget: index === target, waits: worst(writesOf(place.id, pages.at(index).id)), reach: index === target ? reach : 0, whole: index === target && reach === 0,
      onchange: (rating) => (pages.replace(index, { ...pages.at(index), rating }), timeline.refresh()),
      onmore: (elements) => elements.forEach((element) => highlighter.add(element)),
    };
  }

  function refreshRow(row, index) {
    if (!pages.at(index)) return;
    for (const element of drawn(() => row.update(pages.at(index), contextOf(index)), () => [])) highlighter.add(element);
  }

  // What was found may stand far down in a long message, or in one of its sources.
  function revealOnce(row) {
    if (revealed) return;
    revealed = true;
    const mark = row.querySelector(".message mark") ?? row.querySelector(".sources mark");
    const folded = mark?.closest("details");
    if (folded) folded.open = true;
    if (mark) timeline.reveal(mark);
  }

  async function need(from, to) {
    try {
      const came = await pages.need(from, to);
      timeline.resize(pages.count);
      return came;
    } catch (error) {
      if (error.name !== "AbortError") noteFailure(error);
      return false;
    }
  }

  // What changes while it begins comes after: two beginnings would be two views, and what was found is opened in one.
  const refresh = oneAtATime(async () => {
    if (!timeline) return begin();
    try {
      conversation = await getConversation(place.id, abort.signal);
      const wasAtEnd = timeline.isAtEnd();
      pages.expire();
      pages.count = conversation.chatCount ?? pages.count;
      const { index } = timeline.anchor;
      await pages.need(Math.max(0, index - 5), Math.min(pages.count, index + 15));
      title.update(conversation);
      showFacts();
      timeline.resize(pages.count);
      timeline.refresh();
      if (wasAtEnd && !timeline.node.contains(document.activeElement)) timeline.show(pages.count - 1, 1);
    } catch (error) {
      if (error.status === 404) showProblem(error);
    }
  });

  const ends = [
    changed.on((what) => (what.lost || what.conversations.has(place.id) || what.deleted.has(place.id)) && refresh()),
    pendingChanged.on(() => timeline && (showFacts(), timeline.refresh())),
    healthChanged.on(() => timeline && health.status?.page?.alliUrl && !facts.querySelector("a[target]") && showFacts()), // it was opened before
  ];

  return {
    node,
    start: refresh,
    stop: () => (abort.abort(), pages?.stop(), timeline?.stop(), ends.forEach((end) => end())),
    printed: () => conversation && pages && printedConversation(conversation, place.id, pages),
    rename: () => (title ? title.edit() : (renameAtOnce = true)),
    step(by) {
      if (!timeline || pages.count === 0) return;
      const focused = Number(document.activeElement?.closest?.(".timeline-row")?.dataset.index ?? NaN);
      const from = Number.isNaN(focused) ? (target ?? timeline.anchor.index) - (by > 0 ? by : 0) : focused;
      timeline.focus(Math.max(0, Math.min(pages.count - 1, from + by)));
    },
    jump: (toEnd) => timeline && pages.count > 0 && timeline.focus(toEnd ? pages.count - 1 : 0),
  };
}
