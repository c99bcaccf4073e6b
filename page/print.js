// SPDX-License-Identifier: Apache-2.0
// A conversation on paper: all of it, whatever is on the screen, with its title, people, times and address.
import { listChatsNow } from "./api.js";
import { chatRow, oddChat } from "./chat.js";
import { fullTime, instantOf, zone } from "./dates.js";
import { drawn, el } from "./dom.js";
import { language, t } from "./i18n.js";
import { nameOf, titleOf } from "./list.js";
import { writePlace } from "./router.js";
import { plainLine, said } from "./text.js";

function facts(conversation, id, count) {
  const { user, llmApp, categories, createdAt, assignee } = conversation;
  const when = instantOf(createdAt);
  const rows = [
    [t("user"), nameOf(user)],
    [t("app"), plainLine(llmApp?.name)],
    [t("assignee"), assignee && plainLine(typeof assignee === "string" ? assignee : nameOf(assignee))],
    [t("category"), (categories ?? []).map(plainLine).join(", ")],
    [t("createdAt"), when && `${fullTime(when, language())} (${zone()})`],
    [t("messages"), t("chats", { count })],
    [t("address"), location.origin + location.pathname + writePlace({ view: "read", id })],
  ];
  return el("dl", { class: "printed-facts" }, ...rows.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), said("dd", {}, value)]));
}

function allOrLoaded(pages) {
  try {
    return pages.all(listChatsNow);
  } catch {
    return pages.loaded(); // the mirror is away
  }
}

/** pages: a ChatPages. Chats that are not there yet are fetched, and the browser waits for them. */
export function printedConversation(conversation, id, pages) {
  const chats = allOrLoaded(pages);
  const missing = pages.count - chats.length;
  const row = (chat, index) => drawn(() => chatRow(chat, { conversation: id, index, count: chats.length, previous: chats[index - 1], reach: Infinity, whole: true }), oddChat);
  return el("section", { class: "printed" }, said("h1", {}, titleOf(conversation)), facts(conversation, id, chats.length), missing > 0 && el("p", { class: "printed-part" }, t("printedPart", { count: missing })), ...chats.map(row));
}

/** print() gives what is to be printed instead of the screen, or nothing. */
export function listenToPrinting(print) {
  let sheet = null;
  const end = () => (sheet?.remove(), (sheet = null));
  addEventListener("beforeprint", () => {
    end();
    sheet = print() ?? null;
    if (!sheet) return;
    for (const details of sheet.querySelectorAll("details")) details.open = true;
    document.body.append(sheet);
  });
  addEventListener("afterprint", end);
}
