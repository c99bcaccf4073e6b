// SPDX-License-Identifier: Apache-2.0
// The field that is searched with as one types, and the filters of its query as chips. A filter that was typed becomes a
// chip at the blank behind it, at Enter, or when the field is left. The field is set from the address only where the
// address was not asked for here: what is being typed is never written over.
import { el, fill, icon, iconButton } from "./dom.js";
import { zone } from "./dates.js";
import { kindName, valueName } from "./filternames.js";
import { t } from "./i18n.js";
import { isComposed } from "./keys.js";
import { addFilter, choices, kinds, readQuery, takeFilters, writeFilter, writeQuery } from "./query.js";
import { go, here } from "./router.js";
import { named, suggestionsFor } from "./suggestions.js";
import { settle } from "./emitter.js";
import { openDialog } from "./notifications.js";

const pause = 5; // milliseconds without a key before the search begins; the one before it is given up

export function searchBox() {
  const input = el("input", { type: "search", id: "search", placeholder: t("searchHint"), "aria-label": t("search"), autocomplete: "off", spellcheck: "false", enterkeyhint: "search", dir: "auto", maxlength: "1000" });
  const clear = iconButton("close", t("clear"), () => { set(""); input.focus(); }, { class: "icon-button clear" });
  const chips = el("ul", { class: "chips", "aria-label": t("filterKind") });
  const add = el("button", { type: "button", class: "chip chip-add", onclick: openFilters }, icon("filter"), t("addFilter"));
  let composing = false; // Korean and Japanese are put together from several keys; the field is read all the same
  let filters = [];
  let asked = null; // what this field asked for

  const askSoon = settle(ask, pause);
  const changed = () => (composing || takeTyped(input.selectionEnd), askSoon());
  input.addEventListener("input", changed);
  input.addEventListener("compositionstart", () => (composing = true));
  input.addEventListener("compositionend", () => ((composing = false), changed()));
  input.addEventListener("blur", () => ((composing = false), takeTyped() && ask()));
  input.addEventListener("keydown", (event) => {
    const isAtStart = input.selectionStart === 0 && input.selectionEnd === 0;
    if (event.key !== "Backspace" || isComposed(event) || !isAtStart || filters.length === 0) return;
    event.preventDefault();
    writeOut(filters.at(-1));
  });

  /** Makes chips of what is typed; true when there was a filter. */
  function takeTyped(caret = null) {
    const taken = takeFilters(input.value, caret);
    if (taken.filters.length === 0) return false;
    filters = taken.filters.reduce(addFilter, filters);
    input.value = taken.text;
    if (caret !== null) input.setSelectionRange(taken.caret, taken.caret);
    showChips();
    return true;
  }

  // The last chip as text again, to be typed on.
  function writeOut(filter) {
    filters = filters.slice(0, -1);
    const text = writeFilter(filter);
    input.value = input.value ? `${text} ${input.value}` : text;
    input.setSelectionRange(text.length, text.length);
    showChips();
    askSoon();
  }

  function ask() {
    const typed = readQuery(input.value);
    const q = writeQuery({ words: typed.words, filters: typed.filters.reduce(addFilter, filters) });
    clear.hidden = !q && !input.value;
    if (q === asked) return;
    asked = q;
    const place = here();
    go({ ...place, view: "list", q }, { replace: place.view === "list" && Boolean(place.q) === Boolean(q) });
  }

  function set(q) {
    const read = readQuery(q);
    filters = read.filters;
    input.value = read.words;
    showChips();
    ask();
  }

  function remove(index) {
    filters = filters.filter((_, at) => at !== index);
    showChips();
    (chips.querySelectorAll("button.chip:not(.chip-add)")[index] ?? input).focus();
    ask();
  }

  function chip({ kind, value }, index) {
    const shown = valueName(kind, value);
    const name = `${kindName(kind)} ${shown}`;
    const hint = kind === "after" || kind === "before" ? t("daysOf", { zone: zone() }) : null;
    return el("li", {}, el("button", { type: "button", class: "chip", title: hint, "aria-label": t("filterRemove", { name }), onclick: () => remove(index) },
      el("span", { class: "chip-kind" }, kindName(kind)), " ", el("bdi", {}, shown), icon("close")));
  }

  function showChips() {
    fill(chips, ...filters.map(chip), el("li", {}, add));
  }

  // Not under the hand of who is among them.
  named.on(({ kind, id }) => filters.some((one) => one.kind === kind && one.value === id) && !chips.contains(document.activeElement) && showChips());

  function show({ q }) {
    if (q === asked) return;
    asked = q;
    const read = readQuery(q);
    filters = read.filters;
    input.value = read.words;
    clear.hidden = !q;
    showChips();
  }

  function openFilters() {
    const kind = el("select", { id: "filter-kind" }, ...kinds.map((name) => el("option", { value: name }, kindName(name))));
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
      if (!value) return;
      filters = addFilter(filters, { kind: kind.value, value });
      showChips();
      ask();
    });
    showField();
    const dialog = openDialog(t("addFilter"), form);
  }

  return { node: el("search", { class: "searchbox" }, el("div", { class: "field" }, icon("search"), input, clear), chips), input, show, isComposing: () => composing, askNow: ask, takeTyped: () => takeTyped() && (ask(), true) };
}

const spans = ["today", "yesterday", "7d", "30d"];
const spanName = (span) => (span.endsWith("d") ? t("lastDays", { count: parseInt(span) }) : t(span));

function dateField(kind) {
  const input = el("input", { type: "date", id: "filter-value", required: true });
  const hint = el("p", { class: "hint" }, t("daysOf", { zone: zone() }));
  if (kind === "before") return [input, hint];
  // A day that moves with the calendar: submitted as it is.
  const choose = (event) => {
    const form = event.target.form;
    input.type = "hidden";
    input.value = event.target.value;
    form.requestSubmit();
  };
  return [el("div", { class: "spans" }, ...spans.map((span) => el("button", { type: "button", value: span, onclick: choose }, spanName(span)))), el("label", { for: "filter-value" }, t("orDay")), input, hint];
}

function valueField(kind) {
  if (kind === "after" || kind === "before") return dateField(kind);
  const fixed = kind === "sender" ? ["USER", "BOT", "AGENT"] : choices[kind];
  if (fixed) return [el("select", { id: "filter-value" }, ...fixed.map((name) => el("option", { value: name }, valueName(kind, name))))];
  const offered = el("datalist", { id: "filter-known" }, ...suggestionsFor(kind).map((value) => el("option", { value })));
  return [el("input", { id: "filter-value", list: "filter-known", required: true, autocomplete: "off", dir: "auto" }), offered];
}
