// SPDX-License-Identifier: Apache-2.0
// What happens in the mirror while the page is open: the change feed as Server-Sent Events, or by long polling where a
// browser cannot hold a stream. Gathers what comes within a moment, and says when it may have missed something.
import { changesAfter } from "./api.js";
import { Signal, settle } from "./signal.js";

const path = "/mirror/v1/changes?since=now";
const gathering = 200;
const pause = 5000; // after a failure

/** {conversations: Set, deleted: Set, outbox: boolean, lost: boolean} */
export const changed = new Signal();

let gathered;
const empty = () => ({ conversations: new Set(), deleted: new Set(), outbox: false, lost: false });
gathered = empty();

const tell = settle(() => {
  const all = gathered;
  gathered = empty();
  changed.emit(all);
}, gathering);

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

/** A stream that breaks is taken up again by the browser, from the last number it saw. */
function listen() {
  const source = new EventSource(path);
  let streamed = false;
  source.onopen = () => {
    if (streamed) startAgain(); // cheap, and right whatever was missed
    streamed = true;
  };
  source.addEventListener("reset", startAgain);
  source.onmessage = ({ data }) => take(JSON.parse(data));
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return;
    if (streamed) setTimeout(listen, pause);
    else poll("now");
  };
}

async function poll(since) {
  try {
    const { changes, next } = await changesAfter(since);
    changes.forEach(take);
    poll(next);
  } catch (error) {
    if (error.status === 410) startAgain();
    setTimeout(poll, pause, error.status === 410 ? "now" : since);
  }
}

export function followChanges() {
  listen();
}
