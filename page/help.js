// SPDX-License-Identifier: Apache-2.0
// The keys, what can be searched for, language and theme.
import { el } from "./dom.js";
import { language, languages, t, useLanguage } from "./i18n.js";
import { openDialog } from "./notifications.js";
import { theme, themes, useTheme } from "./theme.js";

const keys = [
  [["/"], "keySearch"],
  [["j", "↓"], "keyNext"],
  [["k", "↑"], "keyPrevious"],
  [["b", "B"], "keyBad"],
  [["Enter"], "keyOpen"],
  [["Esc"], "keyBack"],
  [["Home", "End"], "keyEnds"],
  [["e"], "keyRename"],
  [["s"], "keyState"],
  [["i"], "keyInsights"],
  [["p"], "keyProjects"],
  [["?"], "keyHelp"],
];
const searches = [
  ["hotel tokyo", "searchAll"],
  ['"ocean view"', "searchPhrase"],
  ["여행 OR 旅行", "searchOr"],
  ["-cancel", "searchNot"],
  ["reserv*", "searchPrefix"],
  ["user:mina", "searchFilter"],
  ["rating:bad", "searchRating"],
  ["after:7d", "searchRelative"],
  ["after:2026-01-01 before:2026-02-01", "searchDates"],
];

const themeWords = { auto: "themeAuto", light: "themeLight", dark: "themeDark" };

export function openHelp() {
  const row = (left, word) => el("tr", {}, el("th", { scope: "row" }, ...left), el("td", {}, t(word)));
  openDialog(t("help"),
    el("h2", {}, t("help")),
    el("table", { class: "keys" }, el("tbody", {}, ...keys.map(([names, word]) => row(names.map((name) => el("kbd", {}, name)), word)))),
    el("h2", {}, t("searchWords")),
    el("table", { class: "keys" }, el("tbody", {}, ...searches.map(([example, word]) => row([el("code", {}, example)], word)))),
    closing());
}

const closing = () => el("form", { method: "dialog", class: "actions" }, el("button", { type: "submit", autofocus: true }, t("close")));

/** redraw() is called when the words have changed. */
export function openChoices(redraw) {
  const choice = (name, label, options, chosen, choose) => el("fieldset", {}, el("legend", {}, label), ...options.map(([value, text, lang]) => {
    const input = el("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) });
    return el("label", { lang }, input, text);
  }));
  const dialog = openDialog(t("language"),
    choice("language", t("language"), Object.entries(languages).map(([tag, name]) => [tag, name, tag]), language(), (tag) => {
      useLanguage(tag);
      dialog.close();
      redraw();
    }),
    choice("theme", t("theme"), themes.map((name) => [name, t(themeWords[name])]), theme(), useTheme),
    closing());
}
