// SPDX-License-Identifier: Apache-2.0
// Toasts, dialogs and placeholders: short notes that screen readers announce, questions, errors, skeletons.
import { el } from "./dom.js";
import { t } from "./i18n.js";

const shownFor = 5000;
const notes = el("div", { class: "notes", role: "status", "aria-live": "polite" });
const quiet = el("div", { class: "unseen", role: "status", "aria-live": "polite" });
document.body.append(notes, quiet);

/** kind: "good", "wait" or "bad" */
export function note(text, kind = "good") {
  const one = el("p", { class: `note note-${kind}` }, text);
  notes.append(one);
  setTimeout(() => one.remove(), shownFor);
}

export function noteFailure(error) {
  note([error.message, error.hint].filter(Boolean).join(" "), "bad");
}

/** For screen readers alone. */
export function say(text) {
  quiet.textContent = text;
}

/** A dialog over the page; ends with Esc, with a click beside it, or by what is in it. */
export function openDialog(name, ...content) {
  const dialog = el("dialog", { "aria-label": name, class: "dialog" }, ...content);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Resolves to true when the person agrees. */
export function confirmed(question, explanation, agree) {
  return new Promise((resolve) => {
    const yes = el("button", { type: "button", class: "danger", onclick: () => dialog.close("yes") }, agree);
    const no = el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, t("cancel"));
    const dialog = openDialog(question, el("h2", {}, question), el("p", {}, explanation), el("div", { class: "actions" }, no, yes));
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}

/** What stands where something could not be shown. */
export function trouble(error, again) {
  return el("div", { class: "empty", role: "alert" },
    el("p", { class: "empty-title" }, error.message),
    error.hint && el("p", {}, error.hint),
    again && el("button", { type: "button", onclick: again }, t("again")));
}

export function nothing(title, hint) {
  return el("div", { class: "empty" }, el("p", { class: "empty-title" }, title), hint && el("p", {}, hint));
}

export function skeleton(count) {
  const bars = Array.from({ length: count }, () => el("div", { class: "skeleton" }));
  return el("div", { class: "skeletons", role: "status" }, el("span", { class: "unseen" }, t("loading")), ...bars);
}
