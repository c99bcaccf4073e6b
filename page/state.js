// SPDX-License-Identifier: Apache-2.0
// How the mirror is, in words and pictures a person can act on.
import { compareNow, getStatus } from "./api.js";
import { calendar } from "./calendar.js";
import { duration, fullTime, instantOf, isNow, longDay, relative } from "./dates.js";
import { el, fill, refill } from "./dom.js";
import { askHealthSoon, health, healthChanged, lookAfterHealth, verdict } from "./health.js";
import { bytes, language, number, t } from "./i18n.js";
import { note, noteFailure, skeleton, trouble } from "./notifications.js";
import { loadPending, pendingChanged } from "./pending.js";
import { writesPart } from "./writes.js";

function part(name, ...children) {
  const id = `part-${name}`;
  return el("section", { class: "part", "aria-labelledby": id }, el("h3", { id }, t(name)), ...children);
}

function tile(name, value, hint) {
  return el("div", { class: "tile" }, el("dt", {}, t(name)), el("dd", {}, value, hint && el("span", { class: "hint" }, hint)));
}

const patience = 60; // seconds until a comparison is left to itself

const pauseOf = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What came of a comparison, once the mirror tells of one that is younger than `before`. */
async function resultAfter(before) {
  for (let tries = 0; tries < patience; ++tries) {
    await pauseOf(1000);
    await lookAfterHealth();
    const { status } = health;
    if (!status) continue;
    if (status.upstream.lastVerifiedAt !== before.upstream.lastVerifiedAt) return note(comparedWords(before, status));
    if (status.upstream.reachable === false && tries > 2) return note(t("compareFailed"), "bad");
  }
  note(t("compareSlow"), "wait");
}

function comparedWords(before, after) {
  const fresh = Math.max(0, after.mirror.conversations - before.mirror.conversations);
  const differed = Math.max(0, (after.mirror.drift?.differed ?? 0) - (before.mirror.drift?.differed ?? 0));
  return fresh + differed > 0 ? t("comparedFound", { count: fresh + differed }) : t("comparedSame");
}

async function compare({ currentTarget: button }) {
  button.disabled = true;
  try {
    const before = await getStatus();
    await compareNow();
    note(t("comparing"), "wait");
    await resultAfter(before);
  } catch (error) {
    noteFailure(error);
  }
  button.disabled = false;
}

// A token that sees a part of the mirror gets no figures of the whole, and cannot have it compared.
function banner(status) {
  const now = Date.now();
  const { kind, long, more } = verdict({ status }, now);
  const verified = instantOf(status.upstream.lastVerifiedAt);
  return el("div", { class: `banner banner-${kind}` },
    el("div", {}, el("p", { class: "banner-title" }, long),
      more && el("p", {}, more),
      el("p", {}, isNow(verified, now) ? t("comparedNow") : verified ? t("compared", { when: relative(verified, language(), now) }) : t("neverCompared"))),
    !status.narrowed && el("button", { type: "button", class: "primary", onclick: compare }, t("compareNow")));
}

function tiles({ mirror, outbox, safeToStop, narrowed }) {
  return el("dl", { class: "tiles" },
    tile("conversations", number(mirror.conversations)),
    tile("messages", number(mirror.chats)),
    !narrowed && tile("size", bytes(mirror.bytes)),
    !narrowed && tile("safeToStop", t(safeToStop ? "yes" : "notYet"), safeToStop ? "" : t("waitingCount", { count: outbox.pending })));
}

const clusterWords = { leader: "clusterLeads", joining: "clusterJoining", apart: "clusterApart" };

/** Which of several machines this is; nothing where it is alone. */
function nodeWords({ cluster }) {
  if (!cluster) return null;
  const { node, role, leader, databaseReachable } = cluster;
  const said = t(clusterWords[role] ?? (leader ? "clusterFollows" : "clusterAlone"), { node, leader });
  return el("p", { dir: "auto" }, databaseReachable ? said : `${said} ${t("clusterAway")}`);
}

function backfill({ backfill: { done, fraction, etaSeconds } }) {
  if (done) return null;
  const share = fraction ?? null;
  return part("backfill",
    el("progress", share === null ? { "aria-label": t("backfill") } : { value: share, max: 1, "aria-label": t("backfill") }),
    el("p", {}, [share !== null && number(share, { style: "percent" }), etaSeconds != null && t("backfillLeft", { time: duration(etaSeconds, language()) })].filter(Boolean).join(" · ")));
}

function coverageWords({ complete, completeFrom }) {
  if (complete) return t("coverageAll");
  const from = instantOf(completeFrom);
  return from ? t("coverageFrom", { from: longDay(from, language()) }) : t("coverageNothing");
}

function problems(list) {
  if (list.length === 0) return part("problems", el("p", {}, t("problemsNone")));
  const one = ({ what, since, hint }) => el("li", {},
    el("p", { dir: "auto" }, el("strong", {}, what), since && el("time", { datetime: since, title: fullTime(instantOf(since), language()) }, t("since", { when: relative(instantOf(since), language(), Date.now()) }))),
    hint && el("p", { class: "hint", dir: "auto" }, hint));
  return part("problems", el("ul", { class: "problems" }, ...list.map(one)));
}

function drift({ drift: found }) {
  if (!found) return null;
  const fields = Object.entries(found.fields ?? {});
  const oldest = instantOf(found.oldestComparison);
  return part("drift",
    el("p", {}, [t("driftSaid", { count: found.audited }), t("driftDiffered", { count: found.differed }), found.deleted > 0 && t("driftDeleted", { count: found.deleted })].filter(Boolean).join(" ")),
    fields.length > 0 && el("p", {}, `${t("driftFields")}: ${fields.map(([name, count]) => `${name} (${number(count)})`).join(", ")}`),
    oldest && el("p", { class: "hint" }, t("oldestComparison", { when: relative(oldest, language(), Date.now()) })));
}

export function stateView() {
  const days = calendar();
  const writes = writesPart();
  const top = el("div", {});
  const bottom = el("div", {});
  const covered = el("p", {});
  const node = el("section", { class: "state", "aria-labelledby": "state-title", tabindex: "0" }, el("h2", { id: "state-title", tabindex: "-1" }, t("state")),
    top, part("coverage", covered, days.node), part("writes", writes.node), bottom);

  function show({ status, error }) {
    if (error && !status) return fill(top, trouble(error, askHealthSoon));
    if (error) return refill(top, el("div", { class: "banner banner-bad" }, el("div", {}, el("p", { class: "banner-title" }, verdict({ error }, Date.now()).short), el("p", {}, error.message))), tiles(status));
    if (!status) return fill(top, skeleton(3));
    refill(top, banner(status), nodeWords(status), tiles(status), backfill(status.mirror));
    refill(covered, coverageWords(status.mirror));
    days.update(status.mirror);
    refill(bottom, problems(status.problems), drift(status.mirror));
  }

  const ends = [healthChanged.on(show), pendingChanged.on(writes.update)];
  return {
    node,
    start() {
      show(health);
      askHealthSoon();
      loadPending();
      node.querySelector("h2").focus({ preventScroll: true });
    },
    stop: () => ends.forEach((end) => end()),
  };
}
