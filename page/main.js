// SPDX-License-Identifier: Apache-2.0
// The page: a bar with the search and how the mirror is, a list or results beside a conversation, or the state view.
import { sessionOver } from "./api.js";
import { el, fill, icon, iconButton } from "./dom.js";
import { changed, followChanges } from "./feed.js";
import { askHealthSoon, health, healthChanged, lookAfterHealth, verdict } from "./health.js";
import { openChoices, openHelp } from "./help.js";
import { openExports } from "./exports.js";
import { language, t } from "./i18n.js";
import { insightsView } from "./insights.js";
import { kindName, valueName } from "./filternames.js";
import { listenToKeys } from "./keys.js";
import { readQuery } from "./query.js";
import { listView } from "./list.js";
import { listenToPrinting } from "./print.js";
import { readerView } from "./reader.js";
import { resultsView } from "./results.js";
import { openProjects, projectsButton } from "./projects.js";
import { moveFocus } from "./roving.js";
import { goToBad } from "./badanswers.js";
import { arrive, go, here, moved } from "./router.js";
import { searchBox } from "./searchbox.js";
import { signOutButton } from "./session.js";
import { nothing, openDialog } from "./notifications.js";
import { stateView } from "./state.js";
import { theme, useTheme } from "./theme.js";
import { reloadPendingSoon, loadPending } from "./pending.js";

const pill = el("a", { class: "pill", href: "#/state" });
const side = el("section", { class: "side" });
const main = el("main", { class: "main" });
let figures, box, pane, paneKey, paneReady, content, contentKey;

function showPill() {
  const { kind, short } = verdict(health, Date.now());
  const { pending = 0 } = health.status?.outbox ?? {};
  pill.className = `pill pill-${kind}`;
  fill(pill, el("span", { class: "dot", "aria-hidden": "true" }), el("span", { class: "unseen" }, `${t("state")}: `), el("span", { class: "pill-text" }, short),
    pending > 0 && el("span", { class: "pill-count", title: t("waitingCount", { count: pending }) }, icon("wait"), String(pending)));
}

function swap(old, fresh, holder) {
  old?.stop();
  fill(holder, fresh.node);
  fresh.start();
  return fresh;
}

function showPane(place) {
  const key = place.q ? `${place.sort} ${place.q}` : "";
  if (pane && key === paneKey) return;
  paneKey = key;
  const next = place.q ? resultsView(place) : listView();
  pane?.stop();
  pane = next;
  side.setAttribute("aria-label", next.name);
  side.scrollTop = 0;
  if (!place.q) fill(side, next.node);
  const put = () => pane === next && side.firstChild !== next.node && fill(side, next.node);
  // No flicker while typing, least of all "nothing found" for half a syllable.
  paneReady = pane.start();
  paneReady.then(() => (box.isComposing() && next.isEmpty?.()) || put());
  setTimeout(put, 400);
}

const nowhere = () => ({ node: nothing(t("choose"), t("chooseHint")), start() {}, stop() {} });

function showContent(place) {
  const key = { read: [place.view, place.id, place.chat, place.q].join(" "), insights: [place.view, place.q, place.days].join(" ") }[place.view] ?? place.view;
  if (key === contentKey) return;
  contentKey = key;
  const views = { read: () => readerView(place, leave, nameTab), state: stateView, insights: () => insightsView(place), list: nowhere };
  content = swap(content, views[place.view](), main);
}

function nameTab(name) {
  document.title = name ? `${name} – ${t("brand")}` : t("brand");
}

function leave() {
  const { id, q, sort } = here();
  go({ view: "list", q, sort });
  (side.querySelector(`a.row[aria-current]`) ?? [...side.querySelectorAll("a.row")].find((row) => row.hash.includes(encodeURIComponent(id))))?.focus();
}

const names = { state: "state", insights: "insights" };

function show(place) {
  document.body.dataset.view = place.view;
  if (place.view !== "read") nameTab(names[place.view] ? t(names[place.view]) : queryName(place.q) || t("list"));
  box.show(place);
  showPane(place);
  pane.mark(place.id);
  showContent(place);
  for (const [view, link] of [["state", pill], ["insights", figures]]) {
    if (place.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// A query as a person reads it: filters by their names.
function queryName(q) {
  const { words, filters } = readQuery(q ?? "");
  return [...filters.map(({ kind, value }) => `${kindName(kind)}: ${valueName(kind, value)}`), words].filter(Boolean).join(" · ");
}

function draw() {
  document.documentElement.lang = language();
  for (const view of [pane, content]) view?.stop();
  [pane, content, paneKey, contentKey] = [null, null, null, null];
  box = searchBox();
  figures = el("a", { class: "icon-button", href: "#/insights", "aria-label": t("insights"), title: t("insights") }, icon("chart"));
  const bar = el("header", { class: "bar" },
    el("a", { class: "brand", href: "#/", "aria-label": `${t("brand")}: ${t("list")}` }, el("img", { src: "/page/icon.svg", alt: "", width: "28", height: "28" }), el("span", {}, t("brand"))),
    box.node,
    el("div", { class: "tools" }, pill, figures, projectsButton(), iconButton("export", t("export"), openExports), iconButton("globe", `${t("language")}, ${t("theme")}`, () => openChoices(draw)), iconButton("help", t("help"), openHelp), signOutButton()));
  fill(document.getElementById("page"), el("h1", { class: "unseen" }, t("brand")), el("a", { class: "skip", href: "#", onclick: skip }, t("skip")), bar, el("div", { class: "panes" }, side, main));
  showPill();
  show(here());
}

function skip(event) {
  event.preventDefault();
  side.querySelector("a.row")?.focus();
}

/** The first row of what was typed, as soon as it is there. */
async function openFirst() {
  if (box.takeTyped()) return;
  box.askNow();
  const asked = pane;
  await paneReady;
  if (pane !== asked || !here().q) return moveFocus(side, 1);
  asked.node.querySelector("a.row")?.click();
}

function move(step, event) {
  if (here().view === "read" && main.contains(document.activeElement) && !side.contains(document.activeElement)) return content.step(step);
  if (["state", "insights"].includes(here().view) && !side.contains(event.target)) return false;
  return moveFocus(side, step);
}

function escape(event) {
  const place = here();
  if (event.target.id === "search" && place.view === "list" && place.q) return go({ view: "list", q: "" });
  if (event.target.id === "search") return event.target.blur();
  if (place.view === "read") return leave();
  go({ view: "list", q: place.view === "state" ? place.q : "" });
}

const ends = (toEnd) => (here().view === "read" ? content.jump(toEnd) : false);

function listen() {
  listenToKeys({
    "/": () => (box.input.focus(), box.input.select()),
    "?": openHelp,
    s: () => go({ view: "state" }),
    i: () => go({ view: "insights" }),
    p: () => void openProjects(),
    e: () => here().view === "read" && content.rename(),
    j: (event) => move(1, event),
    k: (event) => move(-1, event),
    ArrowDown: (event) => (event.target.id === "search" ? moveFocus(side, 1) : move(1, event)),
    ArrowUp: (event) => move(-1, event),
    b: () => void goToBad(1),
    B: () => void goToBad(-1),
    Enter: (event) => event.target.id === "search" && (openFirst(), true),
    Escape: escape,
    Home: () => ends(false),
    End: () => ends(true),
  });
}

// Nothing that was read stays behind it; closed, it leads to the door.
function showSessionOver() {
  if (document.querySelector(".session-over")) return;
  for (const view of [pane, content]) view?.stop();
  [pane, content, paneKey, contentKey] = [null, null, null, null];
  for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  fill(document.getElementById("page"));
  for (const part of [side, main]) fill(part);
  nameTab("");
  const dialog = openDialog(t("sessionOver"), el("div", { class: "session-over" }, el("h2", {}, t("sessionOver")), el("p", {}, t("sessionOverHint")), el("p", {}, el("code", {}, "alli-mirror open")),
    el("p", { class: "actions" }, el("button", { type: "button", class: "primary", onclick: () => location.reload() }, t("signIn")))));
  dialog.addEventListener("close", () => location.reload());
}

// The door leads to "/?" (door.html); a link that is copied from the address is the page's own.
if (/^[^#]*\?/.test(location.href)) history.replaceState(null, "", location.pathname + location.hash);
useTheme(theme());
draw();
listen();
listenToPrinting(() => content?.printed?.());
addEventListener("hashchange", arrive);
addEventListener("pageshow", ({ persisted }) => persisted && location.reload()); // back to how it was: perhaps before a sign-out
moved.on((place) => !document.querySelector(".session-over") && show(place));
healthChanged.on(showPill);
sessionOver.on(showSessionOver);
changed.on(({ outbox, lost }) => {
  askHealthSoon();
  if (outbox || lost) reloadPendingSoon();
});
lookAfterHealth();
loadPending();
followChanges();
