// SPDX-License-Identifier: Apache-2.0
// A query as the search reads it: words, "phrases", OR, -not, prefix*, and filters (user:, app:, ...), which the page
// shows as chips. Taking a query apart and putting it together again gives the same query. Pure.
import { dayMeant, endBeforeDay, startOfDay } from "./dates.js";

export const kinds = ["user", "app", "category", "sender", "rating", "agentrating", "state", "assignee", "channel", "has", "after", "before"];

/** The values of filters that take no others. */
export const choices = { rating: ["bad", "good", "none"], agentrating: ["bad", "good", "none"], has: ["feedback", "citations", "steps"] };

// A piece is a run without blanks, but for what stands between quotes.
const piece = /(?:[^\s"“”＂]|["“”＂][^"“”＂]*["“”＂]?)+/g;
const filter = new RegExp(`^(${kinds.join("|")}):(.+)$`, "is");
const single = ["after", "before", "sender"];
const dated = ["after", "before"];

function unquoted(text) {
  return text.replace(/["“”＂]/g, "");
}

function quoted(value) {
  return /[\s"“”＂]/.test(value) || value === "" ? `"${unquoted(value)}"` : value;
}

// A day that there is, or an instant.
function isDate(value) {
  const day = Date.parse(value.slice(0, 10));
  const isDay = /^\d{4}-\d\d-\d\d/.test(value) && !Number.isNaN(day) && new Date(day).toISOString().startsWith(value.slice(0, 10));
  return isDay && (value.length === 10 || /^T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(value.slice(10)));
}

/** {kind, value}; none where a piece is words: no value, or none that the search could take. */
function filterOf(part) {
  const found = filter.exec(part);
  const value = found && unquoted(found[2]);
  if (!value) return null;
  const kind = found[1].toLowerCase();
  if (choices[kind]) return choices[kind].includes(value.toLowerCase()) ? { kind, value: value.toLowerCase() } : null;
  return dated.includes(kind) && !isDate(value) && dayMeant(value, Date.now()) === value ? null : { kind, value };
}

/** {words: "what is left", filters: [{kind, value}]} */
export function readQuery(text) {
  const words = [];
  const filters = [];
  for (const part of text.match(piece) ?? []) {
    const found = filterOf(part);
    if (found) filters.push(found);
    else words.push(part);
  }
  return { words: words.join(" "), filters };
}

export const writeFilter = ({ kind, value }) => `${kind}:${quoted(value)}`;

export function writeQuery({ words, filters }) {
  return [...filters.map(writeFilter), words.trim()].filter(Boolean).join(" ");
}

/** Dates and senders there is one of; of the others any number. */
export function addFilter(filters, { kind, value }) {
  return [...filters.filter((old) => old.kind !== kind || (!single.includes(kind) && old.value !== value)), { kind, value }];
}

export function withoutFilter(text, kind) {
  const query = readQuery(text);
  return writeQuery({ ...query, filters: query.filters.filter((one) => one.kind !== kind) });
}

export function withFilter(text, kind, value) {
  const query = readQuery(text);
  return writeQuery({ ...query, filters: addFilter(query.filters, { kind, value }) });
}

/** The filters that are typed to their end: a blank follows, and the caret is not at them. No caret: all of them.
    {text, caret, filters}: what is left of the text, and where the caret is in it. */
export function takeFilters(text, caret = null) {
  const filters = [];
  let left = "";
  let at = 0;
  let place = caret;
  for (const { 0: part, index } of text.matchAll(piece)) {
    const end = index + part.length;
    const found = filterOf(part);
    if (!found || (caret !== null && (end === text.length || (caret >= index && caret <= end)))) continue;
    filters.push(found);
    left += text.slice(at, index);
    at = /\s/.test(text[end] ?? "") && (left === "" || /\s$/.test(left)) ? end + 1 : end;
    if (caret !== null && caret > end) place -= at - index;
  }
  return { text: left + text.slice(at), caret: place, filters };
}

const edges = { after: endBeforeDay, before: startOfDay };

/** As it is asked for: a day is the reader's own, so it is sent as an instant: after a day is from its first moment on. */
export function queryToSend(text) {
  const query = readQuery(text);
  if (!query.filters.some(({ kind }) => dated.includes(kind))) return text;
  return writeQuery({ ...query, filters: query.filters.map((one) => (dated.includes(one.kind) ? { ...one, value: edges[one.kind](dayMeant(one.value, Date.now())) } : one)) });
}

/** Whether a day is asked for. */
export const hasDays = (text) => readQuery(text).filters.some(({ kind, value }) => dated.includes(kind) && startOfDay(dayMeant(value, Date.now())) !== value && !/h$/i.test(value));

/** Whether anything in it can be marked in a message. */
export const hasWords = (text) => readQuery(text).words !== "";
