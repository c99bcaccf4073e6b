// SPDX-License-Identifier: Apache-2.0
// Filters in the reader's words: what a kind is called, and a value of it.
import { t } from "./i18n.js";
import { choices } from "./query.js";
import { nameFor } from "./suggestions.js";
import { plainLine } from "./text.js";

export const kindName = (kind) => t(kind === "state" ? "conversationState" : kind);

export function senderName(sender) {
  return ["USER", "BOT", "AGENT"].includes(sender) ? t(`sender${sender}`) : plainLine(sender);
}

const words = { rating: "rating", agentrating: "rating", has: "has" };

export function valueName(kind, value) {
  if (choices[kind]?.includes(value)) return t(`${words[kind]}_${value}`);
  return kind === "sender" ? senderName(value) : plainLine(nameFor(kind, value));
}

/** Which of the filters given are none, in sentences. */
export const unknownNotes = (unknown = []) =>
  unknown.map(({ filter, value, valid, asWords }) => {
    const said = t(asWords ? "unknownFilter" : "unknownValue", { filter: plainLine(`${filter}:${value}`) });
    return valid.length > 0 ? `${said} ${t("validValues", { values: valid.map(plainLine).join(", ") })}` : said;
  });
