// SPDX-License-Identifier: Apache-2.0
// Taking conversations along: what is searched for, or everything, as a file that the browser saves.
import { exportAddress } from "./api.js";
import { el } from "./dom.js";
import { t } from "./i18n.js";
import { openDialog } from "./notifications.js";
import { here } from "./router.js";

const formats = [["csv", "exportCsv"], ["jsonl", "exportJsonl"], ["markdown", "exportMarkdown"]];

export function openExports() {
  const q = here().q ?? "";
  const link = ([format, word]) => el("li", {}, el("a", { href: exportAddress(q, format), download: "", onclick: () => setTimeout(() => dialog.close()) }, t(word)));
  const dialog = openDialog(t("export"), el("h2", {}, t("export")), el("p", { class: "hint" }, t(q ? "exportHint" : "exportAllHint")), el("ul", { class: "exports" }, ...formats.map(link)),
    el("form", { method: "dialog", class: "actions" }, el("button", { type: "submit" }, t("close"))));
}
