// SPDX-License-Identifier: Apache-2.0
// Writes that have not reached upstream yet, by conversation.
import { listWrites } from "./api.js";
import { healthChanged } from "./health.js";
import { Emitter, settle } from "./emitter.js";
import { decoded } from "./text.js";

export const pendingChanged = new Emitter();
let writes = [];

const states = ["pending", "sending", "conflict", "failed"];

export async function loadPending() {
  try {
    writes = (await Promise.all(states.map(listWrites))).flat();
  } catch {
    return; // what is known stays; the state view says what is wrong
  }
  pendingChanged.emit(writes);
}
export const reloadPendingSoon = settle(loadPending, 150);

// Where no change feed tells of it, the status does: what waits is looked at again, and other counts mean news.
let counted = "";
healthChanged.on(({ status }) => {
  const { pending, failed, conflicts } = status?.outbox ?? {};
  const now = [pending, failed, conflicts].join(" ");
  if (now !== counted || writes.length > 0) reloadPendingSoon();
  counted = now;
});

const chatOf = (write) => /\/chats\/([^/]+)\/feedback$/.exec(write.path)?.[1];

/** Of the conversation as a whole, or of one of its chats. */
export function writesOf(conversation, chat = null) {
  return writes.filter((write) => {
    if (write.conversationId !== conversation) return false;
    return chat === null || decoded(chatOf(write) ?? "") === chat;
  });
}

/** The state that matters most of several: failed, conflict, then waiting. None where none waits. */
export function worst(list) {
  const order = ["failed", "conflict", "sending", "pending"];
  return order.find((state) => list.some((write) => write.state === state)) ?? null;
}

export const waitWords = { failed: "failedWrite", conflict: "conflict", sending: "waiting", pending: "waiting" };
