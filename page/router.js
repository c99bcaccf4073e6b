// SPDX-License-Identifier: Apache-2.0
// Where the page is, kept behind the # of its address, so that back, forward, reload and bookmarks work:
//   #/?q=...  the list or a search      #/c/ID?q=&chat=&at=  a conversation, at a chat      #/state
//   #/insights?q=&days=  figures of so many days, within the filters of a query
import { Emitter } from "./emitter.js";
import { entryOf, wholeCharacters } from "./text.js";

const views = { c: "read", state: "state", insights: "insights" };

/** {view, id, q, sort, chat, at}. Anything that is no place of ours is the list. */
export function readPlace(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const [head, id = ""] = path.split("/");
  const given = new URLSearchParams(query);
  const place = { view: entryOf(views, head) ?? "list", q: given.get("q") ?? "", sort: given.get("sort") === "relevance" ? "relevance" : "newest" };
  if (place.view === "insights") return { ...place, days: /^\d{1,4}$/.test(given.get("days") ?? "") ? Number(given.get("days")) : 30 };
  if (place.view !== "read") return place;
  let decoded = "";
  try {
    decoded = decodeURIComponent(id);
  } catch {
    // not an id that we wrote
  }
  return decoded ? { ...place, id: decoded, chat: given.get("chat") ?? "", at: given.get("at") ?? "" } : { ...place, view: "list" };
}

export function writePlace({ view, id, q, sort, chat, at, days }) {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (q && sort === "relevance") query.set("sort", sort);
  if (view === "read" && chat) query.set("chat", chat);
  if (view === "read" && at) query.set("at", at);
  if (view === "insights" && days !== undefined && days !== 30) query.set("days", String(days));
  const path = view === "read" ? `c/${encodeURIComponent(wholeCharacters(id))}` : view === "state" || view === "insights" ? view : "";
  return `#/${path}${query.size > 0 ? `?${query}` : ""}`;
}

export const moved = new Emitter();

// A browser that is given too many addresses in a short time (a key each) takes no more for a while: Safari throws,
// Chromium says nothing. Then the page is where it was told to go all the same, and the address follows.
const patience = 2000;
let ahead = null;

export const here = () => ahead ?? readPlace(location.hash);

function setAddress(address, how) {
  try {
    history[how](null, "", address);
  } catch {
    // said by the address
  }
  return location.hash === address;
}

function catchUp() {
  if (!ahead) return;
  if (setAddress(writePlace(ahead), "replaceState")) ahead = null;
  else setTimeout(catchUp, patience);
}

export function go(place, { replace = false } = {}) {
  const address = writePlace({ ...place });
  if (address === writePlace(here())) return;
  const isLate = ahead !== null;
  ahead = setAddress(address, replace || isLate ? "replaceState" : "pushState") ? null : readPlace(address);
  if (ahead && !isLate) setTimeout(catchUp, patience);
  moved.emit(here());
}

/** The address was changed by the reader: a link, back, forward. */
export function arrive() {
  ahead = null;
  moved.emit(here());
}

if (globalThis.addEventListener) addEventListener("popstate", arrive);
