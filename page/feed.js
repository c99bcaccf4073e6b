// SPDX-License-Identifier: Apache-2.0
// What happens in the mirror while the page is open: the change feed as Server-Sent Events, or by long polling where a
// browser cannot hold a stream. A browser keeps few connections to a host, so one tab holds the stream for all of them and
// hands on what comes. Gathers what comes within a moment, and says when it may have missed something.
import { changesAfter, getPrincipal, lastChange } from "./api.js";
import { Emitter, settle } from "./emitter.js";

const path = "/mirror/v1/changes?since=";
const name = "alli-mirror.changes";
const gathering = 200;
const pause = 5000; // after a failure

// Where the page began: asked for before anything that it shows, so that what changes meanwhile is heard of.
const begin = await lastChange().catch(() => "now");

/** {conversations: Set, deleted: Set, outbox: boolean, lost: boolean} */
export const changed = new Emitter();

const empty = () => ({ conversations: new Set(), deleted: new Set(), outbox: false, lost: false });
let gathered = empty();

// A tab that nobody sees gathers until it is seen: each change makes it ask for what it shows.
const tell = settle(() => {
  const { conversations, deleted, outbox, lost } = gathered;
  if (document.hidden || (conversations.size + deleted.size === 0 && !outbox && !lost)) return;
  gathered = empty();
  changed.emit({ conversations, deleted, outbox, lost });
}, gathering);
document.addEventListener("visibilitychange", tell);

function take({ conversationId, kind }) {
  if (kind === "outbox") gathered.outbox = true;
  if (kind === "deleted") gathered.deleted.add(conversationId);
  else if (conversationId) gathered.conversations.add(conversationId);
  tell();
}

function startAgain() {
  gathered.lost = true;
  tell();
}

const others = globalThis.BroadcastChannel && navigator.locks ? new BroadcastChannel(name) : null;
others?.addEventListener("message", ({ data }) => (data === "lost" ? startAgain() : take(data)));

// At once, whatever this tab does with it: where it is hidden its own timers may wait for a minute.
function handOn(change) {
  take(change);
  others?.postMessage(change);
}

function lose() {
  startAgain();
  others?.postMessage("lost");
}

/** A stream that breaks is taken up again by the browser, from the last number it saw. Returns what ends it. */
function listen(since = "now") {
  let streamed = false;
  let source, timer;
  const polls = new AbortController();
  open();
  return () => (source.close(), clearTimeout(timer), polls.abort());

  function open() {
    source = new EventSource(path + (streamed ? "now" : since));
    source.onopen = () => {
      if (streamed) lose(); // cheap, and right whatever was missed
      streamed = true;
    };
    source.addEventListener("reset", lose);
    source.onmessage = ({ data }) => handOn(JSON.parse(data));
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      getPrincipal().catch(() => {}); // says at once where the session has ended
      if (streamed) timer = setTimeout(open, pause);
      else poll(since, polls.signal);
    };
  }
}

async function poll(since, signal) {
  try {
    const { changes, next } = await changesAfter(since, signal);
    changes.forEach(handOn);
    poll(next, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (error.status === 410) lose();
    setTimeout(poll, pause, error.status === 410 ? "now" : since, signal);
  }
}

// Where the page is not in a secure context there are no locks: then the tabs that are seen have a stream each.
function listenWhileSeen() {
  let end = document.hidden ? null : listen(begin);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return (end = end?.());
    end ??= listen();
    startAgain();
  });
}

// The lock is held until this tab goes; then another gets it, and what came in between was missed.
async function takeTurns() {
  const hold = (since) => (listen(since), new Promise(() => {}));
  await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && hold(begin));
  await navigator.locks.request(name, () => (lose(), hold()));
}

export function followChanges() {
  if (others) takeTurns().catch(listenWhileSeen); // locks may be switched off with other storage
  else listenWhileSeen();
}
