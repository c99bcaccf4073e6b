// SPDX-License-Identifier: Apache-2.0
// The small sign of a change that has not arrived upstream: waiting, in conflict, refused.
import { el, icon } from "./dom.js";
import { t } from "./i18n.js";
import { waitWords } from "./pending.js";

/** None where there is nothing to show. */
export function waitBadge(state) {
  if (!state) return null;
  const kind = state === "failed" || state === "conflict" ? "bad" : "wait";
  return el("span", { class: `badge badge-${kind}` }, icon("wait"), t(waitWords[state]));
}
