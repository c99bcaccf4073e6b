// SPDX-License-Identifier: Apache-2.0
// Leaving: ends the session that the cookie of this browser carries. Where there is none (proxy.auth = "none", or a proxy in
// front that brings a key) there is nothing to leave, and no button.
import { getPrincipal, signOut } from "./api.js";
import { iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { noteFailure } from "./notifications.js";

let asked; // once a page

async function leave() {
  try {
    await signOut();
  } catch (error) {
    if (error.status !== 401) return noteFailure(error); // it had ended already
  }
  location.replace("/"); // nothing that was read stays on the screen
}

export function signOutButton() {
  const button = iconButton("leave", t("signOut"), leave, { hidden: true });
  asked ??= getPrincipal().catch(() => null);
  asked.then((principal) => (button.hidden = !principal?.session));
  return button;
}
