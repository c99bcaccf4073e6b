// SPDX-License-Identifier: Apache-2.0
// One chat as an element: who, when, what was said, with its sources and its rating.
import { rateChat } from "./api.js";
import { waitBadge } from "./badge.js";
import { clockTime, dayOf, fullTime, instantOf, longDay } from "./dates.js";
import { el, icon } from "./dom.js";
import { language, t } from "./i18n.js";
import { linkTo, safeAddress } from "./links.js";
import { messageNode } from "./message.js";
import { senderName } from "./results.js";
import { markAll } from "./snippet.js";
import { note, noteFailure } from "./speak.js";
import { plainLine, said } from "./text.js";
import { askWritesSoon, worst, writesOf } from "./waits.js";

const kinds = { USER: "user", BOT: "bot", AGENT: "agent" };

function source(citation) {
  const title = plainLine(citation?.title) || plainLine(citation?.url) || plainLine(citation?.source) || "—";
  const name = safeAddress(citation?.url) ? linkTo(citation.url, title) : title;
  return el("li", {},
    el("bdi", { class: "source-title" }, name),
    citation?.pageNo != null && el("span", { class: "source-page" }, t("page", { page: String(citation.pageNo) })),
    citation?.text && said("p", { class: "source-text" }, String(citation.text).slice(0, 2000)));
}

function sources(chat) {
  const list = Array.isArray(chat.citations) ? chat.citations.slice(0, 100) : [];
  if (list.length === 0) return null;
  return el("details", { class: "sources" }, el("summary", {}, t("sources", { count: list.length })), el("ol", {}, ...list.map(source)));
}

function ratingButtons(chat, rate) {
  const one = (value, name, label) => el("button", { type: "button", class: "icon-button rate", "aria-label": label, title: label, "aria-pressed": String(chat.rating === value), onclick: () => rate(chat.rating === value ? null : value) }, icon(name));
  return el("span", { class: "rating", role: "group" }, one(true, "up", t("rateGood")), one(false, "thumbdown", t("rateBad")));
}

/** {conversation, index, count, previous, pattern, isTarget, onchange} */
export function chatRow(chat, context) {
  const when = instantOf(chat.timestamp);
  const kind = kinds[chat.sender] ?? "other";
  const body = messageNode(chat.message);
  markAll(body, context.pattern);
  const before = instantOf(context.previous?.timestamp);
  const newDay = when && (context.index === 0 || (before && dayOf(before) !== dayOf(when)));

  async function rate(rating) {
    try {
      const { outbox } = await rateChat(context.conversation, chat.id, rating);
      note(outbox ? t("ratedLater") : t("rated"), outbox ? "wait" : "good");
      if (outbox) askWritesSoon();
      context.onchange({ ...chat, rating });
    } catch (error) {
      noteFailure(error);
    }
  }

  return el("article", { class: `chat chat-${kind}${context.isTarget ? " chat-target" : ""}`, tabindex: "-1", "aria-posinset": context.index + 1, "aria-setsize": context.count, "aria-label": `${senderName(chat.sender)}, ${fullTime(when, language())}`, "data-chat": chat.id },
    newDay && el("p", { class: "day" }, el("span", {}, longDay(when, language()))),
    el("div", { class: "bubble" },
      el("p", { class: "chat-head" },
        el("span", { class: "chat-sender" }, senderName(chat.sender)),
        when && el("time", { datetime: new Date(when).toISOString(), title: fullTime(when, language()) }, clockTime(when, language())),
        chat.completed === false && el("span", { class: "badge badge-wait" }, t("writing"))),
      body,
      sources(chat),
      el("div", { class: "chat-foot" },
        kind !== "user" && ratingButtons(chat, rate),
        chat.agentRating != null && el("span", { class: "agent-rating" }, t(chat.agentRating ? "agentGood" : "agentBad")),
        waitBadge(worst(writesOf(context.conversation, chat.id))))));
}

/** In the place of one that is not there yet. */
export function missingRow() {
  return el("div", { class: "chat missing", "aria-hidden": "true" }, el("div", { class: "skeleton" }));
}
