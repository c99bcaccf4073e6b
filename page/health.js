// SPDX-License-Identifier: Apache-2.0
// How the mirror is: asked for now and then, and when something happened. One answer serves every view.
import { getStatus } from "./api.js";
import { instantOf, relative } from "./dates.js";
import { language, t } from "./i18n.js";
import { Emitter, settle } from "./emitter.js";

const pause = 10_000;
const freshFor = 120_000;

export const healthChanged = new Emitter();
export const health = { status: null, error: null };

let timer;
export async function lookAfterHealth() {
  clearTimeout(timer);
  try {
    health.status = await getStatus();
    health.error = null;
  } catch (error) {
    health.error = error;
  }
  healthChanged.emit(health);
  timer = setTimeout(lookAfterHealth, pause);
}
export const askHealthSoon = settle(lookAfterHealth, 300);

/** {kind, short, long}: kind is good, wait or bad. */
export function verdict({ status, error }, now) {
  if (error) return { kind: "bad", short: t(error.status === 0 ? "notRunning" : "failed"), long: error.message };
  if (!status) return { kind: "wait", short: t("loading"), long: t("loading") };
  const { upstream, mirror } = status;
  if (status.disk?.full) return { kind: "bad", short: t("diskFull"), long: t("diskFullSaid") };
  if (upstream.keyAccepted === false) return { kind: "bad", short: t("keyRejected"), long: t("keyRejectedSaid") };
  const { failed = 0, conflicts = 0 } = status.outbox ?? {};
  if (failed + conflicts > 0) return { kind: "bad", short: t("needsYou", { count: failed + conflicts }), long: t("needsYou", { count: failed + conflicts }), more: t("needsYouSaid") };
  if (upstream.reachable === false && upstream.lastVerifiedAt) return { kind: "bad", short: t("offline"), long: t("offlineSaid") };
  if (!mirror.backfill.done) return { kind: "wait", short: t("filling"), long: t("fillingSaid") };
  const verified = instantOf(upstream.lastVerifiedAt);
  if (verified && now - verified < freshFor) return { kind: "good", short: t("fresh"), long: t("freshSaid") };
  return { kind: "wait", short: verified ? t("stale", { when: relative(verified, language(), now) }) : t("unknown"), long: t("neverCompared") };
}

document.addEventListener?.("visibilitychange", () => document.hidden || askHealthSoon());
