// SPDX-License-Identifier: Apache-2.0
// Taking conversations along: what is searched for, or everything, as a file that the browser saves.
import { exportAddress, isTooLongToExport, search } from "./api.js";
import { el, fill } from "./dom.js";
import { unknownNotes } from "./filternames.js";
import { health } from "./health.js";
import { t } from "./i18n.js";
import { openDialog } from "./notifications.js";
import { here } from "./router.js";

const formats = [["csv", "exportCsv"], ["jsonl", "exportJsonl"], ["markdown", "exportMarkdown"]];

const hint = (text) => el("p", { class: "hint hint-wrong", dir: "auto" }, text);

// That the file will be a part, or of something else than was meant, is said before it is taken along.
async function warnings(q) {
  if (!q) return health.status?.mirror.complete === false ? [t("notCompleteYet")] : [];
  const { coverage, index, unknownFilters } = await search(q, "newest", null);
  return [!index.complete ? t("indexing") : !coverage.complete && t("notCompleteYet"), ...unknownNotes(unknownFilters)].filter(Boolean);
}

export function openExports() {
  const q = here().q ?? "";
  const notes = el("div", { role: "status" });
  const isTooLong = isTooLongToExport(q);
  if (isTooLong) fill(notes, hint(t("exportTooLong")));
  else warnings(q).then((all) => fill(notes, all.map(hint)), () => {}); // the file is there without them
  const link = ([format, word]) => el("li", {}, el("a", { href: exportAddress(q, format), download: "", onclick: () => setTimeout(() => dialog.close()) }, t(word)));
  const dialog = openDialog(t("export"), el("h2", {}, t("export")), el("p", { class: "hint" }, t(q ? "exportHint" : "exportAllHint")), notes, !isTooLong && el("ul", { class: "exports" }, ...formats.map(link)),
    el("form", { method: "dialog", class: "actions" }, el("button", { type: "submit" }, t("close"))));
}
