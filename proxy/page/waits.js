// SPDX-License-Identifier: Apache-2.0
// The changes that have not arrived upstream yet, by conversation: what is waiting must look like waiting.
import { listWrites } from "./api.js";
import { healthChanged } from "./health.js";
import { Signal, settle } from "./signal.js";

export const waitsChanged = new Signal();
let writes = [];

const states = ["pending", "sending", "conflict", "failed"];

export async function lookAfterWrites() {
  try {
    writes = (await Promise.all(states.map(listWrites))).flat();
  } catch {
    return; // what is known stays; the state view says what is wrong
  }
  waitsChanged.emit(writes);
}
export const askWritesSoon = settle(lookAfterWrites, 150);

// Where no change feed tells of it, the status does: what waits is looked at again, and other counts mean news.
let counted = "";
healthChanged.on(({ status }) => {
  const { pending, failed, conflicts } = status?.outbox ?? {};
  const now = [pending, failed, conflicts].join(" ");
  if (now !== counted || writes.length > 0) askWritesSoon();
  counted = now;
});

const chatOf = (write) => /\/chats\/([^/]+)\/feedback$/.exec(write.path)?.[1];

/** Of the conversation as a whole, or of one of its chats. */
export function writesOf(conversation, chat = null) {
  return writes.filter((write) => {
    if (write.conversationId !== conversation) return false;
    return chat === null || decodeURIComponent(chatOf(write) ?? "") === chat;
  });
}

/** The state that matters most of several: failed, conflict, then waiting. None where none waits. */
export function worst(list) {
  const order = ["failed", "conflict", "sending", "pending"];
  return order.find((state) => list.some((write) => write.state === state)) ?? null;
}

export const waitWords = { failed: "failedWrite", conflict: "conflict", sending: "waiting", pending: "waiting" };
