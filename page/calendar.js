// SPDX-License-Identifier: Apache-2.0
// The coverage as a picture: a year of days, each complete, partial or not there yet, with its number of conversations.
import { countDays } from "./api.js";
import { longDay } from "./dates.js";
import { el, fill, iconButton } from "./dom.js";
import { language, number, t } from "./i18n.js";
import { writeQuery } from "./query.js";
import { writePlace } from "./router.js";

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

/** Those of a day of the calendar, which is in UTC: what is said from its first moment on. */
const dayQuery = (ms) => writeQuery({ words: "", filters: [{ kind: "after", value: new Date(ms - 1).toISOString() }, { kind: "before", value: new Date(ms + day).toISOString() }] });

const steps = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7 };

/** One day with conversations is a stop of the Tab key; the arrows go on from it. */
function roam(days) {
  const links = [...days.querySelectorAll("a")];
  if (links.length > 0) links.at(-1).tabIndex = 0;
  days.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    const from = links.indexOf(document.activeElement);
    if (!step || from < 0) return;
    event.preventDefault();
    const wanted = new Date(Date.parse(links[from].dataset.day) + step * day).toISOString().slice(0, 10);
    const next = step > 0 ? links.find((link) => link.dataset.day >= wanted) : links.findLast((link) => link.dataset.day <= wanted);
    next?.focus();
  });
}

export function calendar() {
  const node = el("div", { class: "calendar" });
  let year = new Date().getUTCFullYear();
  let stretches = [];
  let counts = new Map();
  let counted = 0;
  let opened = false; // at today
  let shown = "";

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
    const attributes = { class: `day-cell day-${what} busy-${busy}`, "aria-label": label, title: label };
    if (found === 0) return el("span", { ...attributes, role: "img", "data-day": dateText(ms) });
    return el("a", { ...attributes, href: writePlace({ view: "list", q: dayQuery(ms) }), "data-day": dateText(ms), tabindex: "-1" });
  }

  function turn(by) {
    year += by;
    opened = year !== new Date().getUTCFullYear();
    show();
    count();
  }

  // Made anew only where it would differ: what is looked at stays.
  function show() {
    const now = Date.now();
    const sign = JSON.stringify([year, stretches, [...counts], dateText(now), language()]);
    if (sign === shown) return;
    shown = sign;
    const first = Date.UTC(year, 0, 1);
    const blanks = (new Date(first).getUTCDay() + 6) % 7; // weeks begin on Monday
    const cells = Array.from({ length: blanks }, () => el("span", { "aria-hidden": "true" }));
    for (let ms = first; ms < Date.UTC(year + 1, 0, 1); ms += day) cells.push(cell(ms, now));
    const months = Array.from({ length: 12 }, (_, month) => new Intl.DateTimeFormat(language(), { month: "short", timeZone: "UTC" }).format(Date.UTC(year, month, 1)));
    const monthRow = el("div", { class: "months", "aria-hidden": "true" }, ...months.map((name) => el("span", {}, name)));
    const swatch = (kind) => el("span", { class: `day-cell ${kind}`, "aria-hidden": "true" });
    const numbers = el("li", {}, el("span", {}, `${t("legendNumber")}: ${t("legendFew")}`), ...[1, 2, 3, 4].map((busy) => swatch(`day-complete busy-${busy}`)), el("span", {}, t("legendMany")));
    const coverage = ["complete", "partial", "missing"].map((what) => el("li", {}, swatch(`day-${what}`), t(what)));
    const focused = node.contains(document.activeElement) ? document.activeElement.dataset?.day : null;
    const days = el("div", { class: "days" }, ...cells);
    const wasAt = node.querySelector(".days-scroll")?.scrollLeft;
    fill(node,
      el("div", { class: "calendar-head" },
        iconButton("back", t("earlier"), () => turn(-1)), el("strong", {}, number(year, { useGrouping: false })),
        iconButton("back", t("later"), () => turn(1), { class: "icon-button turn", disabled: year >= new Date().getUTCFullYear() }),
        el("span", { class: "hint" }, t("daysOf", { zone: "UTC" })), el("ul", { class: "key" }, numbers), el("ul", { class: "key", "aria-label": t("legendComplete") }, ...coverage)),
      el("div", { class: "days-scroll", tabindex: "0", role: "group", "aria-label": t("calendar", { year: String(year) }) }, monthRow, days));
    roam(days);
    scrollTo(wasAt);
    if (focused) node.querySelector(`a[data-day="${focused}"]`)?.focus({ preventScroll: true });
  }

  // To today, once it is on the screen; after that it stays where the reader has it.
  function scrollTo(wasAt) {
    const scroller = node.querySelector(".days-scroll");
    if (wasAt !== undefined && opened) return void (scroller.scrollLeft = wasAt);
    const today = node.querySelector(`[data-day="${dateText(Date.now())}"]`);
    requestAnimationFrame(() => {
      if (!today?.isConnected || scroller.clientWidth === 0) return;
      scroller.scrollLeft = today.offsetLeft - scroller.clientWidth * 0.8;
      opened = true;
    });
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
