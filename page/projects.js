// SPDX-License-Identifier: Apache-2.0
// From one project's page to another's: a list of links, where this user's daemons mirror more than one. The addresses are
// those of this machine, so a page that came through a reverse proxy has none; nothing is asked of the other daemons.
import { listProjects } from "./api.js";
import { el, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { openDialog } from "./notifications.js";

const here = ["127.0.0.1", "localhost", "[::1]"];

/** As this page names the machine: a session is of a name. */
function addressOf(origin) {
  const address = new URL(origin);
  if (address.hostname !== "[::1]" && location.hostname !== "[::1]") address.hostname = location.hostname;
  return address.href;
}

// Without the scope for it, or through a proxy, there is none.
const ask = async () => (here.includes(location.hostname) ? listProjects().catch(() => []) : []);

function row({ name, origin, current }) {
  if (current) return el("li", {}, el("strong", { "aria-current": "true" }, name), ` (${t("projectHere")})`);
  return el("li", {}, origin ? el("a", { href: addressOf(origin) }, name) : `${name} (${t("projectAway")})`);
}

function show(projects) {
  const dialog = openDialog(t("projects"),
    el("h2", {}, t("projects")),
    el("p", {}, t("projectsHint")),
    el("ul", { class: "projects" }, ...projects.map(row)),
    el("form", { method: "dialog", class: "actions" }, el("button", { type: "submit" }, t("close"))));
  dialog.querySelector(".projects a")?.focus();
}

/** Opens the list; nothing happens where there is one project alone. */
export async function openProjects() {
  const projects = await ask();
  if (projects.length > 1) show(projects);
}

export function projectsButton() {
  const button = iconButton("switch", t("projects"), openProjects, { hidden: true });
  ask().then((projects) => (button.hidden = projects.length < 2));
  return button;
}
