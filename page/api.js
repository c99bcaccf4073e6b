// SPDX-License-Identifier: Apache-2.0
// What the page asks of the mirror: the same requests that any local app makes, one function each. A failure is thrown
// as ApiError, with the sentence and the hint that the mirror gave.
import { zone } from "./dates.js";
import { Emitter } from "./emitter.js";
import { language, t } from "./i18n.js";
import { queryToSend } from "./query.js";
import { contentOf, parseJson, tidyChat, tidyConversation } from "./lenient.js";
import { wholeCharacters } from "./text.js";

export class ApiError extends Error {
  constructor(status, sentence, hint = "") {
    super(sentence);
    this.status = status; // 0: the mirror itself cannot be reached
    this.hint = hint;
  }
}

/** The session is over: nothing will be answered until there is another. */
export const sessionOver = new Emitter();

const conversationsPath = "/webapi/v2/conversations";
const one = (id) => `${conversationsPath}/${encodeURIComponent(wholeCharacters(id))}`;

// The mirror tells what it is complete for beside: what it has now is better than to wait for upstream.
const whateverIsThere = { "Cache-Control": "max-stale" };

async function readBody(reply) {
  const text = await reply.text();
  if (!text || !(reply.headers.get("Content-Type") ?? "").includes("json")) return null;
  try {
    return parseJson(text);
  } catch {
    throw new ApiError(reply.status, t("failed"));
  }
}

// The mirror's own sentences are English: who reads another language gets these.
const sentences = { 400: "badRequest", 401: "sessionOver", 403: "notAllowed", 404: "gone", 503: "serviceAway", 504: "serviceAway" };

function failureOf(reply, body) {
  if (reply.status === 401) sessionOver.emit();
  if (language() === "en") return new ApiError(reply.status, body?.detail ?? body?.message ?? `${t("failed")} (${reply.status})`, body?.hint);
  return new ApiError(reply.status, `${t(sentences[reply.status] ?? "failed")} (${reply.status})`);
}

async function ask(method, path, { body, signal, headers = {} } = {}) {
  let reply;
  try {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const kind = body === undefined ? {} : { "Content-Type": "application/json" };
    reply = await fetch(path, { method, signal, headers: { ...kind, ...headers }, credentials: "same-origin", redirect: "error", cache: "no-store", ...sent });
  } catch (error) {
    throw error.name === "AbortError" ? error : new ApiError(0, t("away"));
  }
  const answer = await readBody(reply);
  if (!reply.ok) throw failureOf(reply, answer);
  return { body: answer, outbox: reply.headers.get("Alli-Mirror-Outbox"), about: reply.headers.get("Cache-Status") ?? "" };
}

function withQuery(path, parameters) {
  if (parameters instanceof URLSearchParams) return `${path}?${parameters}`;
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value != null && value !== ""));
  return `${path}?${query}`;
}

const get = async (path, parameters = {}, options = {}) => (await ask("GET", withQuery(path, parameters), options)).body;
const read = (path, parameters, signal) => get(path, parameters, { signal, headers: whateverIsThere });

const conversationsOf = (body) => {
  const page = contentOf(body, "conversations");
  return { ...page, conversations: (page.conversations ?? []).map(tidyConversation) };
};

/** {conversations, cursor, partial}: partial where the mirror does not hold all of the page, and cannot ask for the rest. */
export async function listConversations(cursor, signal) {
  const { body, about } = await ask("GET", withQuery(conversationsPath, { pageSize: 25, cursor }), { signal, headers: whateverIsThere });
  return { ...conversationsOf(body), partial: /\bpartial\b/.test(about) };
}
export const firstConversation = async () => conversationsOf(await read(conversationsPath, { pageSize: 1, order: "CREATED_AT_ASC" }));
export const getConversation = async (id, signal) => tidyConversation(contentOf(await read(one(id), {}, signal), "id"));
/** Asked of the service, so that the mirror has it anew. */
export const fetchAnew = (id) => get(one(id), {}, { headers: { "Cache-Control": "no-cache" } });
export const listChats = async (id, pageNo, signal) => (contentOf(await read(`${one(id)}/chats`, { pageNo }, signal), "chats").chats ?? []).map(tidyChat);
export const countDays = (startDate, endDate) => read(`${conversationsPath}/daily_count`, { startDate, endDate });
export const getStatus = () => get("/mirror/v1/status");

const longestTarget = 4000; // half of what the mirror takes; what is longer goes in a body

/** The first hit of each conversation, with how many there are in it. */
export async function search(q, sort, cursor, signal) {
  const path = "/mirror/v1/search";
  const asked = { q: queryToSend(q), sort, cursor, limit: 30, group: "conversation" };
  const target = withQuery(path, asked);
  const { body } = await (target.length <= longestTarget ? ask("GET", target, { signal }) : ask("POST", path, { body: asked, signal }));
  return body;
}

/** Every hit, newest first. */
export const searchEach = async (q, cursor) => (await ask("POST", "/mirror/v1/search", { body: { q: queryToSend(q), cursor, limit: 50, sort: "newest" } })).body;

/** Where the browser gets an export of what a query finds; of everything where there is none. */
export const isTooLongToExport = (q) => exportAddress(q, "markdown").length > 8000;
export const exportAddress = (q, format) => withQuery("/mirror/v1/export", { q: q && queryToSend(q), format, tz: zone() });

/** {totals, rows, words, ...}; filters: {app: [...], user: [...], category: [...]} */
export function getInsights({ from, to, filters }, signal) {
  const query = new URLSearchParams(Object.entries({ from, to, tz: zone() }).filter(([, value]) => value));
  for (const [name, values] of Object.entries(filters)) for (const value of values) query.append(name, value);
  return get(`/mirror/v1/insights`, query, { signal });
}

/** Of each conversation that is rated: {conversationId, good, bad}. */
export const countRatings = async (conversations, signal) => (await ask("POST", "/mirror/v1/ratings", { body: { conversations }, signal })).body.ratings;

/** For each of the texts where the words of a query stand in it: [[from, to], ...]. */
export const highlight = async (q, texts, signal) => (await ask("POST", "/mirror/v1/highlight", { body: { q, texts }, signal })).body.ranges;

/** A page of chats while the browser waits: before it prints there is no other way. */
export function listChatsNow(id, pageNo) {
  const request = new XMLHttpRequest();
  request.open("GET", withQuery(`${one(id)}/chats`, { pageNo }), false);
  request.setRequestHeader("Cache-Control", whateverIsThere["Cache-Control"]);
  request.send();
  if (request.status !== 200) throw new ApiError(request.status, t("failed"));
  return (contentOf(parseJson(request.responseText), "chats").chats ?? []).map(tidyChat);
}

/** {body, outbox}: outbox is the number under which the change waits, null when it has arrived. */
export async function setTitle(id, title) {
  const { operations } = await getStatus(); // where upstream has it is a setting
  const [method, path] = operations.title.split(" ");
  return ask(method, path.replace("{id}", () => encodeURIComponent(id)), { body: { title } });
}
export const rateChat = (id, chat, rating) => ask("POST", `${one(id)}/chats/${encodeURIComponent(chat)}/feedback`, { body: { rating } });

export const listWrites = async (state) => (await get("/mirror/v1/outbox", { state, limit: 200 })).entries;
export const getWrite = (id) => get(`/mirror/v1/outbox/${id}`);
export const retryWrite = (id) => ask("POST", `/mirror/v1/outbox/${id}/retry`);
export const discardWrite = (id) => ask("DELETE", `/mirror/v1/outbox/${id}`);
export const compareNow = () => ask("POST", "/mirror/v1/sync");
/** {name, scope, app, user, expires, session}: as whom this page is let in. */
export const getPrincipal = () => get("/mirror/v1/principal");
/** [{name, origin, reachable, current}]: the projects that this user's daemons mirror. */
export const listProjects = async () => (await get("/mirror/v1/projects")).projects;
export const signOut = () => ask("DELETE", "/mirror/v1/session");
export const lastChange = async () => (await get("/mirror/v1/changes", { since: "now" })).next;
export const changesAfter = (since, signal) => get("/mirror/v1/changes", { since, wait: 25, limit: 1000 }, { signal });
