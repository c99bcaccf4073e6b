// SPDX-License-Identifier: Apache-2.0
// The changes on their way upstream, with what a person can do about each: look, send again, discard.
import { discardWrite, getWrite, listWrites, retryWrite } from "./api.js";
import { fullTime, instantOf, relative } from "./dates.js";
import { el } from "./dom.js";
import { language, t } from "./i18n.js";
import { writePlace } from "./router.js";
import { confirmed, note, noteFailure } from "./notifications.js";
import { plainLine } from "./text.js";
import { loadPending } from "./pending.js";

const stateWords = { pending: "pending", sending: "sending", delivered: "delivered", conflict: "conflictState", failed: "failedState" };
const kinds = [
  [/\/bulk_update$/, "writeBulk"],
  [/\/title$/, "writeTitle"],
  [/\/feedback$/, "writeFeedback"],
  [/\/stop$/, "writeStop"],
];

function kindOf({ method, path }) {
  return kinds.find(([pattern]) => pattern.test(path))?.[1] ?? (method === "DELETE" ? "writeDelete" : "writeUpdate");
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function conflictTable(conflict) {
  const row = ([field, { base, upstream, ours }]) => el("tr", {}, el("th", { scope: "row" }, el("bdi", {}, field)), ...[base, upstream, ours].map((value) => el("td", { dir: "auto" }, plainLine(asText(value ?? "—")))));
  const head = el("tr", {}, ...["field", "base", "upstream", "ours"].map((name) => el("th", { scope: "col" }, t(name))));
  return el("div", { class: "table", tabindex: "0" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...Object.entries(conflict).map(row))));
}

function details(entry) {
  const block = (name, value) => [el("p", { class: "label" }, t(name)), el("pre", { tabindex: "0" }, asText(value).slice(0, 20000))];
  return [entry.conflict && conflictTable(entry.conflict), entry.request?.body != null && block("sent", entry.request.body), entry.response && block("answered", entry.response)];
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

function buttons({ id, state }) {
  const again = ["failed", "conflict", "pending"].includes(state);
  return el("div", { class: "actions" },
    again && el("button", { type: "button", onclick: () => act(() => retryWrite(id), t("retried")) }, t(state === "conflict" ? "retryConflict" : "retry")),
    again && el("button", { type: "button", class: "danger", onclick: () => discard(id) }, t("discard")));
}

function write(entry) {
  const now = Date.now();
  const more = el("details", {}, el("summary", {}, t("details")));
  const kind = { failed: "bad", conflict: "bad", delivered: "good" }[entry.state] ?? "wait";
  const next = instantOf(entry.nextAttemptAt);
  more.addEventListener("toggle", async () => {
    if (!more.open || more.childElementCount > 1) return;
    try {
      more.append(el("div", {}, ...details(await getWrite(entry.id)).flat(2).filter(Boolean)));
    } catch (error) {
      noteFailure(error);
    }
  });
  return el("li", { class: "write", "data-write": entry.id },
    el("p", { class: "write-head" },
      el("strong", {}, t(kindOf(entry))), el("span", { class: `badge badge-${kind}` }, t(stateWords[entry.state] ?? "unknown")),
      el("time", { datetime: entry.createdAt, title: fullTime(instantOf(entry.createdAt), language()) }, relative(instantOf(entry.createdAt), language(), now)),
      entry.attempts > 0 && el("span", {}, t("tries", { count: entry.attempts })),
      entry.state === "pending" && next && next > now && el("span", {}, t("nextTry", { when: relative(next, language(), now) }))),
    entry.lastError && el("p", { class: "write-error", dir: "auto" }, plainLine(entry.lastError)),
    entry.conversationId && el("a", { href: writePlace({ view: "read", id: entry.conversationId }) }, t("toConversation")),
    more,
    entry.state !== "delivered" && buttons(entry));
}

export function writesPart() {
  const list = el("ul", { class: "writes" });
  const none = el("p", {}, t("writesNone"));
  const hint = el("p", { class: "hint" }, t("deliveredNote"));
  const rows = new Map(); // id -> {sign, item}: what did not change stays, unfolded or with the focus

  function rowOf(entry) {
    const sign = JSON.stringify(entry);
    const known = rows.get(entry.id);
    const item = known?.sign === sign ? known.item : write(entry);
    if (known && item !== known.item) item.querySelector("details").open = known.item.querySelector("details").open;
    rows.set(entry.id, { sign, item });
    const made = item.querySelector("time");
    made.textContent = relative(instantOf(entry.createdAt), language(), Date.now());
    return item;
  }

  async function update(waiting) {
    let delivered = [];
    try {
      delivered = (await listWrites("delivered")).slice(0, 10);
    } catch {
      // the others are known
    }
    const wanted = [...waiting, ...delivered].map(rowOf);
    for (const [id, { item }] of rows) if (!wanted.includes(item)) rows.delete(id);
    for (const old of [...list.children]) if (!wanted.includes(old)) old.remove();
    wanted.forEach((item, i) => list.children[i] === item || list.insertBefore(item, list.children[i] ?? null));
    none.hidden = waiting.length > 0;
    hint.hidden = delivered.length === 0;
  }
  return { node: el("div", {}, none, list, hint), update };
}
