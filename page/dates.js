// SPDX-License-Identifier: Apache-2.0
// Times as upstream sends them (seconds or milliseconds since 1970) and as we do (RFC 3339), and how a person reads
// them, in the page's language and the reader's time zone. `now` is given, so that all of it can be tested. Pure.
import { entryOf } from "./text.js";

const latest = 8.64e15; // and as long before 1970: beyond it there are no dates

/** Milliseconds since 1970; none for what is no time. */
export function instantOf(value) {
  if (typeof value === "string") value = Date.parse(value);
  if (typeof value !== "number" || value === 0) return null;
  const ms = value > 1e11 ? value : value * 1000;
  return Math.abs(ms) <= latest ? ms : null;
}

const made = new Map();
function format(language, options) {
  const key = language + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(language, options));
  return made.get(key);
}

export const dayOf = (ms) => {
  const date = new Date(ms);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
};

const two = (value) => String(value).padStart(2, "0");

// As RFC 3339 with the offset that the reader's clocks have then.
function written(date, fraction = "") {
  const minutes = -date.getTimezoneOffset();
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${fraction}${offset}`;
}

function beginOf(text) {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!found) return null;
  const begin = new Date(0);
  begin.setHours(0, 0, 0, 0);
  begin.setFullYear(Number(found[1]), Number(found[2]) - 1, Number(found[3]));
  return begin;
}

/** The instant that a day ("2026-01-05") begins with in the reader's time zone, as RFC 3339 with its offset; anything else
    as it is. Where clocks are put forward at midnight a day begins later. */
export function startOfDay(text) {
  const begin = beginOf(text);
  return begin ? written(begin) : text;
}

/** The last instant before a day, in the mirror's microseconds: what is said behind it is of that day, or later. */
export function endBeforeDay(text) {
  const begin = beginOf(text);
  return begin ? written(new Date(begin.getTime() - 1000), ".999999") : text;
}

const daysAgo = { today: 0, yesterday: 1, 오늘: 0, 어제: 1, 今日: 0, 昨日: 1 };

function monthsBack(date, count) {
  const day = date.getDate();
  date.setDate(1);
  date.setMonth(date.getMonth() - count);
  date.setDate(Math.min(day, new Date(date.getFullYear(), date.getMonth() + 1, 0).getDate())); // the 31st of a month that has none
}

/** "today", "yesterday", "7d", "2w", "3m", "1y" as the day that is meant, "24h" as the instant; anything else as it is. */
export function dayMeant(text, now) {
  const date = new Date(now);
  const word = entryOf(daysAgo, text.toLowerCase());
  const [, digits, unit] = /^(\d{1,4})([dwmyh])$/i.exec(text) ?? [];
  if (word === undefined && !unit) return text;
  const count = Number(digits);
  const kind = unit?.toLowerCase();
  if (kind === "h") return new Date(now - count * 3_600_000).toISOString();
  if (kind === "m" || kind === "y") monthsBack(date, count * (kind === "y" ? 12 : 1));
  else date.setDate(date.getDate() - (word ?? count * (kind === "w" ? 7 : 1)));
  return date.getFullYear() > 0 ? dayOf(date.getTime()) : text;
}

/** The reader's time zone, by its name. */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Short, for lists: the time today, the day this year, else the date. */
export function shortTime(ms, language, now) {
  if (ms == null) return "";
  if (dayOf(ms) === dayOf(now)) return format(language, { hour: "numeric", minute: "2-digit" }).format(ms);
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return format(language, sameYear ? { month: "short", day: "numeric" } : { year: "numeric", month: "short", day: "numeric" }).format(ms);
}

export function clockTime(ms, language) {
  return ms == null ? "" : format(language, { hour: "numeric", minute: "2-digit" }).format(ms);
}

export function longDay(ms, language) {
  return ms == null ? "" : format(language, { weekday: "long", year: "numeric", month: "long", day: "numeric" }).format(ms);
}

export function fullTime(ms, language) {
  return ms == null ? "" : format(language, { dateStyle: "long", timeStyle: "medium" }).format(ms);
}

const steps = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

function largest(seconds) {
  const [unit, size] = steps.find(([, each]) => seconds >= each) ?? steps[3];
  return [unit, Math.round(seconds / size)];
}

/** Too short ago to be counted. */
export const isNow = (ms, now) => ms != null && Math.abs(now - ms) < 10_000;

/** "12 seconds ago", "in 3 minutes". */
export function relative(ms, language, now) {
  if (ms == null) return "";
  const seconds = (ms - now) / 1000;
  const [unit, count] = largest(Math.abs(seconds));
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(seconds < 0 ? -count : count, unit);
}

/** "3 minutes" */
export function duration(seconds, language) {
  const [unit, count] = largest(seconds);
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(count);
}
