// SPDX-License-Identifier: Apache-2.0
// The field that is searched with as one types, and the filters of its query as chips. The query in the address is the
// one truth; this shows it and changes it.
import { el, fill, icon, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { kinds, readQuery, withFilter, withoutFilter, writeQuery } from "./query.js";
import { go, here } from "./router.js";
import { known } from "./seen.js";
import { settle } from "./signal.js";
import { senderName } from "./results.js";
import { openDialog } from "./speak.js";
import { plainLine } from "./text.js";

const pause = 5; // milliseconds without a key before the search begins; the one before it is given up

export function searchBox() {
  const input = el("input", { type: "search", id: "search", placeholder: t("searchHint"), "aria-label": t("search"), autocomplete: "off", spellcheck: "false", enterkeyhint: "search", dir: "auto", maxlength: "1000" });
  const clear = iconButton("close", t("clear"), () => { ask(""); input.focus(); }, { class: "icon-button clear" });
  const chips = el("ul", { class: "chips", "aria-label": t("filterKind") });
  const add = el("button", { type: "button", class: "chip chip-add", onclick: openFilters }, icon("filter"), t("addFilter"));
  let composing = false; // Korean and Japanese are put together from several keys
  let query = "";

  const askSoon = settle(() => ask(writeQuery({ ...readQuery(query), words: input.value })), pause);
  input.addEventListener("input", () => composing || askSoon());
  input.addEventListener("compositionstart", () => (composing = true));
  input.addEventListener("compositionend", () => ((composing = false), askSoon()));

  function ask(q) {
    const place = here();
    go({ ...place, view: "list", q }, { replace: place.view === "list" && Boolean(place.q) === Boolean(q) });
  }

  function chip({ kind, value }, index) {
    const shown = kind === "sender" ? senderName(value) : plainLine(value);
    const name = `${t(kind)}: ${shown}`;
    return el("li", {}, el("button", { type: "button", class: "chip", "aria-label": t("filterRemove", { name }), onclick: () => ask(withoutFilter(query, index)) },
      el("span", { class: "chip-kind" }, t(kind)), el("bdi", {}, shown), icon("close")));
  }

  function show({ q }) {
    query = q;
    const { words, filters } = readQuery(q);
    if (document.activeElement !== input || readQuery(q).words !== input.value.trim()) {
      if (input.value.trim() !== words) input.value = words;
    }
    clear.hidden = !q;
    fill(chips, ...filters.map(chip), el("li", {}, add));
  }

  function openFilters() {
    const kind = el("select", { id: "filter-kind" }, ...kinds.map((name) => el("option", { value: name }, t(name))));
    const holder = el("div", {});
    const form = el("form", { class: "filter-form", method: "dialog" },
      el("h2", {}, t("addFilter")),
      el("label", { for: "filter-kind" }, t("filterKind")), kind,
      el("label", { for: "filter-value" }, t("filterValue")), holder,
      el("div", { class: "actions" },
        el("button", { type: "button", onclick: () => dialog.close() }, t("cancel")),
        el("button", { type: "submit", class: "primary" }, t("filterAdd"))));
    const showField = () => fill(holder, ...valueField(kind.value));
    kind.addEventListener("change", showField);
    form.addEventListener("submit", () => {
      const value = form.querySelector("#filter-value").value.trim();
      if (value) ask(withFilter(query, kind.value, value));
    });
    showField();
    const dialog = openDialog(t("addFilter"), form);
  }

  return { node: el("search", { class: "searchbox" }, el("div", { class: "field" }, icon("search"), input, clear), chips), input, show };
}

function valueField(kind) {
  if (kind === "after" || kind === "before") return [el("input", { type: "date", id: "filter-value", required: true })];
  if (kind === "sender") return [el("select", { id: "filter-value" }, ...["USER", "BOT", "AGENT"].map((name) => el("option", { value: name }, senderName(name))))];
  const offered = el("datalist", { id: "filter-known" }, ...known(kind).map((value) => el("option", { value })));
  return [el("input", { id: "filter-value", list: "filter-known", required: true, autocomplete: "off", dir: "auto" }), offered];
}
