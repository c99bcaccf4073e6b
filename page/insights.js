// SPDX-License-Identifier: Apache-2.0
// Figures: conversations, messages and ratings by day, app, category, user and channel. Every drawing has its table; a
// name narrows the figures to it, a number of bad answers leads to them.
import { getInsights } from "./api.js";
import { barChart, ratingChart } from "./charts.js";
import { dayMeant, duration, instantOf, longDay, startOfDay, zone } from "./dates.js";
import { el, fill, icon, refill } from "./dom.js";
import { settle } from "./emitter.js";
import { changed } from "./feed.js";
import { kindName, unknownNotes, valueName } from "./filternames.js";
import { language, number, t } from "./i18n.js";
import { skeleton, trouble } from "./notifications.js";
import { addFilter, readQuery, writeQuery } from "./query.js";
import { writePlace } from "./router.js";
import { rememberName } from "./suggestions.js";
import { plainLine } from "./text.js";

const ranges = [7, 30, 90, 0]; // days; 0: all
const groups = { app: "byApp", category: "byCategory", user: "byUser", channel: "byChannel" };
const narrowing = ["app", "user", "category"];

const percent = (part, of) => (of > 0 ? number(part / of, { style: "percent", maximumFractionDigits: 1 }) : "—");
const length = (value) => (value == null ? "—" : t("statCharacters", { count: value }));
const wait = (value) => (value == null ? "—" : duration(Math.max(1, Math.round(value)), language()));

export function insightsView({ q, days }) {
  const filters = readQuery(q).filters.filter(({ kind }) => narrowing.includes(kind));
  const from = days > 0 ? startOfDay(dayMeant(`${days - 1}d`, Date.now())) : null;
  const body = el("div", {}), chosen = el("div", { class: "chooser" });
  const node = el("section", { class: "state insights", "aria-labelledby": "insights-title", tabindex: "0" },
    el("h2", { id: "insights-title", tabindex: "-1" }, t("insights")), chosen, body);
  let abort = new AbortController();

  const place = (more) => writePlace({ view: "insights", q: writeQuery({ words: "", filters }), days, ...more });
  /** What a list of answers is searched by, within this range and these filters. */
  const found = (more) => writePlace({ view: "list", q: writeQuery({ words: "", filters: [...more.reduce(addFilter, filters), ...(from && !more.some(({ kind }) => kind === "after") ? [{ kind: "after", value: `${days - 1}d` }] : [])] }) });

  function choice() {
    const range = (count) => el("a", { href: writePlace({ view: "insights", q, days: count }), "aria-current": count === days ? "true" : null }, count ? t("lastDays", { count }) : t("allTime"));
    const chip = (filter) => el("a", { class: "chip", href: writePlace({ view: "insights", q: writeQuery({ words: "", filters: filters.filter((one) => one !== filter) }), days }), "aria-label": t("filterRemove", { name: `${kindName(filter.kind)} ${valueName(filter.kind, filter.value)}` }) },
      el("span", { class: "chip-kind" }, kindName(filter.kind)), " ", el("bdi", {}, valueName(filter.kind, filter.value)), icon("close"));
    return [el("nav", { class: "switch", "aria-label": t("lastDaysRange") }, ...ranges.map(range)), ...filters.map(chip)];
  }

  function tiles(totals) {
    const rated = totals.good + totals.bad;
    const tile = (name, value, hint) => el("div", { class: "tile" }, el("dt", {}, t(name)), el("dd", {}, value, hint && el("span", { class: "hint" }, hint)));
    const bad = totals.bad > 0 ? el("a", { href: found([{ kind: "rating", value: "bad" }]) }, number(totals.bad)) : number(0);
    return el("dl", { class: "tiles" },
      tile("statConversations", number(totals.conversations)), tile("statMessages", number(totals.messages)),
      tile("statGood", number(totals.good)), tile("statBad", bad, `${t("statBadShare")}: ${percent(totals.bad, rated)}`),
      tile("statUnrated", number(totals.unrated)), tile("statUncited", number(totals.withoutCitations)),
      tile("statLength", length(totals.medianLength)), tile("statWait", wait(totals.medianAnswerSeconds)));
  }

  const columns = [
    ["statConversations", (row) => number(row.conversations)],
    ["statMessages", (row) => number(row.messages)],
    ["statGood", (row) => number(row.good)],
    ["statBad", (row) => (row.bad > 0 ? el("a", { href: found(row.by === "day" ? dayFilters(row.key) : [{ kind: row.by, value: row.key }, { kind: "rating", value: "bad" }]) }, number(row.bad)) : number(0))],
    ["statBadShare", (row) => percent(row.bad, row.good + row.bad)],
    ["statUnrated", (row) => number(row.unrated)],
    ["statUncited", (row) => number(row.withoutCitations)],
    ["statLength", (row) => length(row.medianLength)],
    ["statWait", (row) => wait(row.medianAnswerSeconds)],
  ];

  function dayFilters(day) {
    const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
    return [{ kind: "rating", value: "bad" }, { kind: "after", value: day }, { kind: "before", value: next }];
  }

  function nameCell(row) {
    const name = plainLine(row.name);
    return narrowing.includes(row.by) ? el("a", { href: place({ q: writeQuery({ words: "", filters: addFilter(filters, { kind: row.by, value: row.key }) }) }) }, el("bdi", {}, name)) : el("bdi", {}, name);
  }

  function table(rows, label, nameOf = nameCell) {
    const head = el("tr", {}, el("th", { scope: "col" }, label), ...columns.map(([name]) => el("th", { scope: "col" }, t(name))));
    const line = (row) => el("tr", {}, el("th", { scope: "row" }, nameOf(row)), ...columns.map(([, show]) => el("td", {}, show(row))));
    return el("div", { class: "table figures", tabindex: "0", role: "group", "aria-label": label }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows.map(line))));
  }

  function part(name, ...children) {
    const id = `part-${name}`;
    return el("section", { class: "part", "aria-labelledby": id }, el("h3", { id }, t(name)), ...children);
  }

  function daysPart(rows) {
    if (rows.length === 0) return part("byDay", el("p", {}, t("nothingCounted")));
    const all = everyDay(rows);
    const link = ({ key }) => found(dayFilters(key).slice(1));
    const dayName = ({ key }) => longDay(Date.parse(`${key}T12:00`), language());
    return part("byDay", barChart(all, { label: t("dayChart"), valueOf: (row) => row.messages, nameOf: dayName, link }),
      all.some(({ good, bad }) => good + bad > 0) && ratingChart(all, { label: t("ratingChart"), nameOf: dayName, link: ({ key }) => found(dayFilters(key)) }),
      el("details", {}, el("summary", {}, t("asTable")), table([...rows].reverse(), t("day"), (row) => dayName(row))));
  }

  function wordsPart({ words, wordsSampled }) {
    if (words.length === 0) return part("badWords", el("p", {}, t("wordsNone")));
    const line = ({ word, bad, all }) => el("tr", {}, el("th", { scope: "row" }, el("a", { href: writePlace({ view: "list", q: plainLine(word) }) }, el("bdi", {}, plainLine(word)))), el("td", {}, number(bad)), el("td", {}, number(all)));
    const head = el("tr", {}, ...["word", "inBadQuestions", "inAllQuestions"].map((name) => el("th", { scope: "col" }, t(name))));
    return part("badWords", el("p", { class: "hint" }, t("badWordsHint", wordsSampled)), el("div", { class: "table figures", tabindex: "0", role: "group", "aria-label": t("badWords") }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...words.map(line)))));
  }

  function coverageNote({ coverage }) {
    if (coverage.complete) return null;
    const since = instantOf(coverage.from);
    return el("p", { class: "hint hint-wrong" }, since ? t("notCompleteBefore", { from: longDay(since, language()) }) : t("notCompleteYet"));
  }

  function show(insights) {
    for (const { by, key, name } of insights.rows) if (by === "app" || by === "category") rememberName(by, key, name);
    refill(chosen, ...choice());
    const of = (by) => insights.rows.filter((row) => row.by === by);
    const unknown = unknownNotes(insights.unknownFilters).map((said) => el("p", { class: "hint hint-wrong", dir: "auto" }, said));
    refill(body, coverageNote(insights), ...unknown, tiles(insights.totals), daysPart(of("day")),
      ...Object.entries(groups).filter(([by]) => of(by).length > 0).map(([by, name]) => part(name, table(of(by), kindName(by)))),
      wordsPart(insights), el("p", { class: "hint" }, t("daysOf", { zone: zone() })));
  }

  async function load() {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    const asked = Object.fromEntries(narrowing.map((kind) => [kind, filters.filter((one) => one.kind === kind).map(({ value }) => value)]));
    try {
      const insights = await getInsights({ from, filters: asked }, signal);
      if (!signal.aborted) show(insights);
    } catch (error) {
      if (!signal.aborted) fill(body, trouble(error, load));
    }
  }

  const end = changed.on(settle(load, 500));
  return {
    node,
    start() {
      fill(chosen, ...choice());
      fill(body, skeleton(3));
      node.querySelector("h2").focus({ preventScroll: true });
      return load();
    },
    stop: () => (abort.abort(), end()),
  };
}

// Days on which nothing happened stand between the others.
function everyDay(rows) {
  const known = new Map(rows.map((row) => [row.key, row]));
  const all = [];
  for (let ms = Date.parse(rows[0].key); ms <= Date.parse(rows.at(-1).key) && all.length < 1500; ms += 86_400_000) {
    const key = new Date(ms).toISOString().slice(0, 10);
    all.push(known.get(key) ?? { by: "day", key, name: key, messages: 0, good: 0, bad: 0 });
  }
  return all;
}
