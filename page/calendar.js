// SPDX-License-Identifier: Apache-2.0
// The coverage as a picture: a year of days, each complete, partial or not there yet, with its number of conversations.
import { countDays } from "./api.js";
import { longDay } from "./dates.js";
import { el, iconButton, refill } from "./dom.js";
import { language, number, t } from "./i18n.js";

const day = 86_400_000;

/** How much of [from, from + a day) the stretches cover: "complete", "partial", "missing"; "future" after `now`. Pure. */
export function coverageOf(stretches, from, now) {
  if (from > now) return "future";
  const to = Math.min(from + day, now);
  let reached = from;
  let touched = false;
  for (const stretch of stretches) {
    if (stretch.through <= from || stretch.from >= to) continue;
    touched = true;
    if (stretch.from <= reached) reached = Math.max(reached, stretch.through);
  }
  // Up to the last comparison is as far as today can be known.
  const newest = stretches.at(-1)?.through ?? 0;
  return reached >= Math.min(to, Math.max(from + 1, newest)) ? "complete" : touched ? "partial" : "missing";
}

/** The stretches of a status as instants, those that touch as one. Pure. */
export function stretchesOf(mirror) {
  const joined = [];
  for (const { from, through } of mirror.coverage ?? [{ from: mirror.completeFrom, through: mirror.completeThrough }]) {
    const one = { from: Date.parse(from), through: Date.parse(through) };
    if (Number.isNaN(one.from) || Number.isNaN(one.through)) continue;
    const last = joined.at(-1);
    if (last && last.through >= one.from) last.through = Math.max(last.through, one.through);
    else joined.push(one);
  }
  return joined;
}

const dateText = (ms) => new Date(ms).toISOString().slice(0, 10);

export function calendar() {
  const node = el("div", { class: "calendar" });
  let year = new Date().getUTCFullYear();
  let stretches = [];
  let counts = new Map();
  let counted = 0;

  async function count() {
    const wanted = year;
    if (counted === wanted) return;
    counted = wanted;
    try {
      const { counts: list } = await countDays(`${year}-01-01`, `${year}-12-31`);
      if (wanted !== year) return;
      counts = new Map(list.map((entry) => [entry.date, entry.count]));
    } catch {
      counts = new Map(); // the picture stands without numbers
    }
    show();
  }

  function cell(ms, now) {
    const what = coverageOf(stretches, ms, now);
    const found = counts.get(dateText(ms)) ?? 0;
    const busy = Math.min(4, found > 0 ? 1 + Math.floor(Math.log2(found)) : 0);
    const words = [t(what), found > 0 && t("calendarCount", { count: found })].filter(Boolean).join(", ");
    const label = t("calendarDay", { date: longDay(ms + day / 2, language()), what: words });
    return el("span", { class: `day-cell day-${what} busy-${busy}`, role: "img", "aria-label": label, title: label });
  }

  function turn(by) {
    year += by;
    show();
    count();
  }

  function show() {
    const now = Date.now();
    const first = Date.UTC(year, 0, 1);
    const blanks = (new Date(first).getUTCDay() + 6) % 7; // weeks begin on Monday
    const cells = Array.from({ length: blanks }, () => el("span", { "aria-hidden": "true" }));
    for (let ms = first; ms < Date.UTC(year + 1, 0, 1); ms += day) cells.push(cell(ms, now));
    const months = Array.from({ length: 12 }, (_, month) => new Intl.DateTimeFormat(language(), { month: "short", timeZone: "UTC" }).format(Date.UTC(year, month, 1)));
    const monthRow = el("div", { class: "months", "aria-hidden": "true" }, ...months.map((name) => el("span", {}, name)));
    const key = ["complete", "partial", "missing"].map((what) => el("li", {}, el("span", { class: `day-cell day-${what} busy-2`, "aria-hidden": "true" }), t(what)));
    refill(node,
      el("div", { class: "calendar-head" },
        iconButton("back", t("earlier"), () => turn(-1)), el("strong", {}, number(year, { useGrouping: false })),
        iconButton("back", t("later"), () => turn(1), { class: "icon-button turn", disabled: year >= new Date().getUTCFullYear() }),
        el("span", { class: "hint" }, t("daysOf", { zone: "UTC" })), el("ul", { class: "key" }, ...key)),
      el("div", { class: "days-scroll", tabindex: "0", role: "group", "aria-label": t("calendar", { year: String(year) }) }, monthRow, el("div", { class: "days" }, ...cells)));
  }

  return {
    node,
    update(mirror) {
      const fresh = stretchesOf(mirror);
      if (JSON.stringify(fresh) !== JSON.stringify(stretches)) counted = 0;
      stretches = fresh;
      show();
      count();
    },
  };
}
