// SPDX-License-Identifier: Apache-2.0
// A thumb that says how an answer was rated, in rows of lists and hits.
import { el, icon } from "./dom.js";
import { t } from "./i18n.js";

/** None where it is not rated. */
export function ratingMark(rating) {
  if (typeof rating !== "boolean") return null;
  const name = t(rating ? "ratedGood" : "ratedBad");
  return el("span", { class: `rated rated-${rating ? "good" : "bad"}`, role: "img", "aria-label": name, title: name }, icon(rating ? "up" : "thumbdown"));
}
