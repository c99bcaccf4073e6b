// SPDX-License-Identifier: Apache-2.0
// One chat as an element: who, when, what was said, with its sources and its rating.
import { rateChat } from "./api.js";
import { waitBadge } from "./badge.js";
import { clockTime, dayOf, fullTime, instantOf, longDay } from "./dates.js";
import { el, icon, iconButton, refill } from "./dom.js";
import { language, t } from "./i18n.js";
import { linkTo, safeAddress } from "./links.js";
import { messageView, textOfMessage } from "./message.js";
import { senderName } from "./filternames.js";
import { note, noteFailure } from "./notifications.js";
import { cutAt } from "./pieces.js";
import { writePlace } from "./router.js";
import { entryOf, plainLine, said } from "./text.js";
import { reloadPendingSoon } from "./pending.js";

const kinds = { USER: "user", BOT: "bot", AGENT: "agent" };

const shortSource = 2000; // characters of a source that are shown at once

// What was found may stand behind that.
function sourceText(text, { whole, onmore }) {
  const end = whole ? text.length : cutAt(text, shortSource);
  const node = said("p", { class: "source-text" }, text.slice(0, end));
  if (end === text.length) return node;
  const rest = () => {
    node.replaceChildren(text);
    node.tabIndex = -1;
    node.focus({ preventScroll: true });
    onmore?.([node]);
  };
  node.append(" ", el("button", { type: "button", class: "quiet more", onclick: rest }, t("showMore", { count: text.length - end })));
  return node;
}

function source(citation, context) {
  const title = plainLine(citation?.title) || plainLine(citation?.url) || plainLine(citation?.source) || "—";
  const name = safeAddress(citation?.url) ? linkTo(citation.url, title) : title;
  return el("li", {},
    el("bdi", { class: "source-title" }, name),
    citation?.pageNo != null && el("span", { class: "source-page" }, t("page", { page: plainLine(citation.pageNo) })),
    ["string", "number"].includes(typeof citation?.text) && citation.text !== "" && sourceText(String(citation.text), context));
}

function sources(chat, context) {
  const list = Array.isArray(chat.citations) ? chat.citations.slice(0, context.whole ? undefined : 100) : [];
  if (list.length === 0) return null;
  return el("details", { class: "sources" }, el("summary", {}, t("sources", { count: list.length })), el("ol", {}, ...list.map((one) => source(one, context))));
}

function ratingButtons(rating, rate) {
  const one = (value, name, label) => el("button", { type: "button", class: "icon-button rate", "aria-label": label, title: label, "aria-pressed": String(rating === value), onclick: () => rate(rating === value ? null : value) }, icon(name));
  return el("span", { class: "rating", role: "group" }, one(true, "up", t("rateGood")), one(false, "thumbdown", t("rateBad")));
}

function head(chat, when) {
  return [
    el("span", { class: "chat-sender" }, senderName(chat.sender)),
    when && el("time", { datetime: new Date(when).toISOString(), title: fullTime(when, language()) }, clockTime(when, language())),
    chat.completed === false && el("span", { class: "badge badge-wait" }, t("writing")),
  ];
}

function dayLine(when, context) {
  const before = instantOf(context.previous?.timestamp);
  const isNew = when && (context.index === 0 || (before && dayOf(before) !== dayOf(when)));
  return isNew ? el("p", { class: "day" }, el("span", {}, longDay(when, language()))) : null;
}

const small = { class: "icon-button rate" };

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    note(t("copied"));
  } catch {
    note(t("copyFailed"), "bad");
  }
}

const described = (chat, { count, index, isTarget, previous, waits }) => JSON.stringify([chat, count, index, isTarget, previous?.timestamp, waits]);

/** context: {conversation, index, count, previous, isTarget, waits, reach, whole, onchange(rating), onmore(elements)}; whole: its
    sources are shown to their end. The element's
    `update(chat, context)` puts it right; what did not change in it stays the same, and it returns what did. */
export function chatRow(chat, context) {
  const kind = entryOf(kinds, chat.sender) ?? "other";
  const body = messageView(chat.message, { reach: context.reach, onmore: context.onmore });
  const headLine = el("p", { class: "chat-head" });
  const foot = el("div", { class: "chat-foot" });
  const bubble = el("div", { class: "bubble" }, headLine, body.node, foot);
  const row = el("article", { class: `chat chat-${kind}`, tabindex: "-1" }, bubble);
  let shown = "";
  row.update = update;
  show();
  return row;

  async function rate(rating) {
    try {
      const { outbox } = await rateChat(context.conversation, chat.id, rating);
      note(outbox ? t("ratedLater") : t("rated"), outbox ? "wait" : "good");
      if (outbox) reloadPendingSoon();
      context.onchange(rating);
    } catch (error) {
      noteFailure(error);
    }
  }

  function copyLink() {
    const when = instantOf(chat.timestamp);
    copy(location.origin + location.pathname + writePlace({ view: "read", id: context.conversation, chat: chat.id, at: when ? new Date(when).toISOString() : "" }));
  }

  function show() {
    const when = instantOf(chat.timestamp);
    shown = described(chat, context);
    row.classList.toggle("chat-target", Boolean(context.isTarget));
    for (const [name, value] of Object.entries({ "aria-posinset": context.index + 1, "aria-setsize": context.count, "aria-label": `${senderName(chat.sender)}, ${fullTime(when, language())}`, "data-chat": chat.id })) row.setAttribute(name, value);
    row.querySelector(":scope > .day")?.remove();
    row.prepend(...[dayLine(when, context)].filter(Boolean));
    refill(headLine, ...head(chat, when));
    refill(foot,
      kind !== "user" && ratingButtons(chat.rating, rate),
      chat.agentRating != null && el("span", { class: "agent-rating" }, t(chat.agentRating ? "agentGood" : "agentBad")),
      waitBadge(context.waits),
      el("span", { class: "takes" }, iconButton("link", t("copyLink"), copyLink, small), iconButton("copy", t("copyMessage"), () => copy(textOfMessage(chat.message)), small)));
    const cited = sources(chat, context);
    const citedBefore = bubble.querySelector(":scope > .sources");
    if (row.cited === JSON.stringify(chat.citations)) return [];
    row.cited = JSON.stringify(chat.citations);
    if (cited && citedBefore) cited.open = citedBefore.open;
    citedBefore?.remove();
    if (cited) foot.before(cited);
    return cited ? [cited] : [];
  }

  function update(fresh, now) {
    if (described(fresh, now) === shown) return [];
    const isSaid = fresh.message !== chat.message;
    [chat, context] = [fresh, now];
    return [...(isSaid ? body.update(chat.message) : []), ...show()];
  }
}

/** In the place of one that is not there yet. */
export function missingRow() {
  return el("div", { class: "chat missing", "aria-hidden": "true" }, el("div", { class: "skeleton" }));
}

/** In the place of one that cannot be drawn. */
export function oddChat() {
  const row = el("article", { class: "chat chat-other", tabindex: "-1" }, el("div", { class: "bubble" }, el("p", { class: "hint" }, t("notShown"))));
  row.update = () => [];
  return row;
}
