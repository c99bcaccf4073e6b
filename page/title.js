// SPDX-License-Identifier: Apache-2.0
// The title of a conversation, and its change in place.
import { setTitle } from "./api.js";
import { el, fill, iconButton, refill } from "./dom.js";
import { t } from "./i18n.js";
import { isComposed } from "./keys.js";
import { titleOf } from "./list.js";
import { note, noteFailure } from "./notifications.js";
import { said } from "./text.js";
import { reloadPendingSoon } from "./pending.js";

/** onchange(title) is called when the mirror has taken the change. */
export function titleField(conversation, onchange) {
  const node = el("div", { class: "title" });

  function show() {
    refill(node, said("h2", { tabindex: "-1" }, titleOf(conversation)), iconButton("pencil", t("rename"), edit));
  }

  function edit() {
    const input = el("input", { value: conversation.title ?? "", "aria-label": t("renameTitle"), maxlength: "300", dir: "auto", required: true });
    const form = el("form", { class: "title-form" }, input,
      el("button", { type: "submit", class: "primary" }, t("save")),
      el("button", { type: "button", onclick: leave }, t("cancel")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save(input.value.trim(), form);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || isComposed(event)) return;
      event.stopPropagation();
      leave();
    });
    fill(node, form);
    input.focus();
    input.select();
  }

  function leave() {
    show();
    node.querySelector("button").focus();
  }

  async function save(title, form) {
    if (!title || title === conversation.title) return leave();
    for (const field of form.elements) field.disabled = true;
    try {
      const { outbox } = await setTitle(conversation.id, title);
      conversation = { ...conversation, title };
      note(outbox ? t("renamedLater") : t("renamed"), outbox ? "wait" : "good");
      if (outbox) reloadPendingSoon();
      leave();
      onchange(title);
    } catch (error) {
      noteFailure(error);
      for (const field of form.elements) field.disabled = false;
    }
  }

  show();
  return { node, edit, update: (fresh) => ((conversation = fresh), node.querySelector("form") || show()) };
}
