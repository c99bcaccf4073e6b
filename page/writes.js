// SPDX-License-Identifier: Apache-2.0
// The changes on their way upstream, with what a person can do about each: look, keep one side, send again, discard.
import { discardWrite, fetchAnew, getWrite, listWrites, retryWrite } from "./api.js";
import { fullTime, instantOf, relative } from "./dates.js";
import { el } from "./dom.js";
import { language, t } from "./i18n.js";
import { writePlace } from "./router.js";
import { confirmed, note, noteFailure } from "./notifications.js";
import { entryOf, plainLine } from "./text.js";
import { loadPending } from "./pending.js";

const stateWords = { pending: "pending", sending: "sending", delivered: "delivered", conflict: "conflictState", failed: "failedState" };
const kinds = [
  [/\/bulk_update$/, "writeBulk"],
  [/\/title$/, "writeTitle"],
  [/\/feedback$/, "writeFeedback"],
  [/\/stop$/, "writeStop"],
];
const fieldNames = { title: "renameTitle", state: "conversationState", assignee: "assignee", categoryIds: "category", categories: "category", rating: "rating", feedbackSelection: "has_feedback", suggestedAnswer: "suggestedAnswer" };

function kindOf({ method, path }) {
  return kinds.find(([pattern]) => pattern.test(path))?.[1] ?? (method === "DELETE" ? "writeDelete" : "writeUpdate");
}

const fieldName = (field) => (entryOf(fieldNames, field) ? t(fieldNames[field]) : plainLine(field));

/** A value of a field as a person says it. */
export function valueWords(value) {
  if (value == null || value === "") return "—";
  if (typeof value === "boolean") return t(value ? "rating_good" : "rating_bad");
  if (Array.isArray(value)) return value.map(valueWords).join(", ") || "—";
  if (typeof value === "object") return plainLine(value.name ?? value.email ?? value.id ?? "…");
  return plainLine(value);
}

const asObject = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});

/** What a change does, in a sentence: `entry` as the mirror tells it alone. */
export function changeWords(entry) {
  const kind = kindOf(entry);
  const body = asObject(entry.request?.body);
  if (kind === "writeFeedback" && "rating" in body) return body.rating == null ? t("ratingTaken") : t("ratedAs", { rating: valueWords(body.rating) });
  const fields = Object.entries(body).filter(([field]) => entryOf(fieldNames, field));
  if (typeof body.title === "string" && fields.length === 1) {
    const from = asObject(entry.base).title ?? asObject(entry.conflict).title?.base;
    return from == null || from === "" ? t("renamedTo", { to: plainLine(body.title) }) : t("renamedFromTo", { from: valueWords(from), to: plainLine(body.title) });
  }
  if (fields.length > 0 && kind !== "writeBulk") return t("changedFields", { fields: fields.map(([field, value]) => `${fieldName(field)} ${valueWords(value)}`).join(", ") });
  return t(kind);
}

function conflictTable(conflict) {
  const row = ([field, { base, upstream, ours }]) => el("tr", {}, el("th", { scope: "row" }, el("bdi", {}, fieldName(field))), ...[base, upstream, ours].map((value) => el("td", { dir: "auto" }, valueWords(value))));
  const head = el("tr", {}, ...["field", "base", "upstream", "ours"].map((name) => el("th", { scope: "col" }, t(name))));
  return el("div", { class: "table", tabindex: "0" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...Object.entries(conflict).map(row))));
}

async function act(does, done) {
  try {
    await does();
    note(done);
  } catch (error) {
    noteFailure(error);
  }
  loadPending();
}

async function discard(id) {
  if (await confirmed(t("discardAsk"), t("discardSaid"), t("discard"))) act(() => discardWrite(id), t("discarded"));
}

// What is there now may not have been seen here yet.
async function keepTheirs({ id, conversationId }) {
  await discardWrite(id);
  if (conversationId) await fetchAnew(conversationId).catch(() => {}); // a comparison brings it later
}

function buttons(entry) {
  const { id, state } = entry;
  const button = (label, onclick, kind) => el("button", { type: "button", class: kind, onclick }, label);
  if (state === "conflict")
    return el("div", { class: "actions" },
      button(t("retryConflict"), () => act(() => retryWrite(id), t("retried")), "primary"),
      button(t("keepTheirs"), () => act(() => keepTheirs(entry), t("discarded"))));
  const again = ["failed", "pending"].includes(state);
  return el("div", { class: "actions" },
    again && button(t("retry"), () => act(() => retryWrite(id), t("retried"))),
    again && button(t("discard"), () => discard(id), "danger"));
}

// Why it has not arrived, in the reader's language; what the service said about it stands in the details.
function reason({ state, attempts, lastStatus }) {
  if (state === "conflict") return t("conflictSaid");
  if (state === "failed") return t("refusedSaid", { status: String(lastStatus ?? "—") });
  return state === "pending" && attempts > 0 ? t("notReachedSaid") : null;
}

const messageOf = (body) => (typeof body === "string" ? body : (asObject(body).message ?? asObject(body).detail ?? asObject(body).errors));

function serviceSaid({ lastError, response }) {
  const said = [messageOf(response?.body), lastError].find((text) => typeof text === "string" && text.trim());
  if (!said) return null;
  return el("details", {}, el("summary", {}, t("serviceAnswered")), el("p", { dir: "auto" }, plainLine(said.slice(0, 2000))));
}

function write(entry, linked) {
  const now = Date.now();
  const kind = { failed: "bad", conflict: "bad", delivered: "good" }[entry.state] ?? "wait";
  const next = instantOf(entry.nextAttemptAt);
  const why = reason(entry);
  return el("li", { class: "write", "data-write": entry.id },
    el("p", { class: "write-head" },
      el("strong", { dir: "auto" }, changeWords(entry)), el("span", { class: `badge badge-${kind}` }, t(stateWords[entry.state] ?? "unknown")),
      el("time", { datetime: entry.createdAt, title: fullTime(instantOf(entry.createdAt), language()) }, relative(instantOf(entry.createdAt), language(), now)),
      entry.attempts > 0 && el("span", {}, t("tries", { count: entry.attempts })),
      entry.state === "pending" && next && next > now && el("span", {}, t("nextTry", { when: relative(next, language(), now) }))),
    why && el("p", { class: kind === "bad" ? "write-error" : "hint" }, why),
    entry.conflict && conflictTable(entry.conflict),
    linked && entry.conversationId && el("a", { href: writePlace({ view: "read", id: entry.conversationId }) }, t("toConversation")),
    serviceSaid(entry),
    entry.state !== "delivered" && buttons(entry));
}

// What is asked of each alone: it does not change while its state does not.
const known = new Map(); // "id state attempts" -> the promise of it

/** An entry with what is sent, the values before and the conflict; what is known of it where the mirror does not tell. */
function wholeWrite(entry) {
  const key = [entry.id, entry.state, entry.attempts].join(" ");
  if (known.size > 500) known.clear();
  if (!known.has(key)) known.set(key, getWrite(entry.id).catch(() => (known.delete(key), entry)));
  return known.get(key);
}

/** `decided`: only what waits for a person's word, without a link to its conversation. */
export function writesList({ decided = false } = {}) {
  const list = el("ul", { class: "writes" });
  const rows = new Map(); // id -> {sign, item}: what did not change stays, unfolded or with the focus
  let turn = 0;

  function rowOf(entry) {
    const sign = JSON.stringify(entry);
    const old = rows.get(entry.id);
    const item = old?.sign === sign ? old.item : write(entry, !decided);
    const [was, is] = [old?.item.querySelector("details"), item.querySelector("details")];
    if (was && is && item !== old.item) is.open = was.open;
    rows.set(entry.id, { sign, item });
    item.querySelector("time").textContent = relative(instantOf(entry.createdAt), language(), Date.now());
    return item;
  }

  async function update(entries) {
    const mine = ++turn;
    const whole = await Promise.all(entries.map(wholeWrite));
    if (mine !== turn) return;
    const wanted = whole.map(rowOf);
    for (const [id, { item }] of rows) if (!wanted.includes(item)) rows.delete(id);
    for (const old of [...list.children]) if (!wanted.includes(old)) old.remove();
    wanted.forEach((item, i) => list.children[i] === item || list.insertBefore(item, list.children[i] ?? null));
  }
  return { node: list, update };
}

export function writesPart() {
  const list = writesList();
  const none = el("p", {}, t("writesNone"));
  const hint = el("p", { class: "hint" }, t("deliveredNote"));

  async function update(waiting) {
    let delivered = [];
    try {
      delivered = (await listWrites("delivered")).slice(0, 10);
    } catch {
      // the others are known
    }
    await list.update([...waiting, ...delivered]);
    none.hidden = waiting.length > 0;
    hint.hidden = delivered.length === 0;
  }
  return { node: el("div", {}, none, list.node, hint), update };
}
