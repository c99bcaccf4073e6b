// SPDX-License-Identifier: Apache-2.0
// Bytes to a server and whatever comes back: {responses: [{status, headers, body}], hung}. Text is latin1.
import { connect } from "node:net";

const quiet = 40, patience = 4000; // milliseconds

/** `to`: what net.connect takes. Ends its own side when the server says nothing more, and reads on until it closes. */
export function exchange(to, bytes) {
  return new Promise((resolve) => {
    const socket = connect({ ...to, allowHalfOpen: true });
    let came = "", hung = false;
    const still = setTimeout(() => socket.end(), quiet);
    const never = setTimeout(() => ((hung = true), socket.destroy()), patience);
    socket.setEncoding("latin1");
    socket.on("data", (data) => ((came += data), still.refresh()));
    socket.on("end", () => socket.end());
    socket.on("error", () => {}); // a reset after a refusal; what came before it counts
    socket.on("close", () => {
      clearTimeout(still);
      clearTimeout(never);
      resolve({ responses: readAll(came), hung });
    });
    socket.write(bytes, "latin1");
  });
}

/** Responses as they follow each other, interim ones left out; one that breaks off is `whole: false`. */
export function readAll(text) {
  const responses = [];
  for (let rest = text; rest.length > 0; ) {
    const response = readOne(rest);
    rest = rest.slice(response.size);
    if (response.status >= 200 || !response.whole) responses.push(response);
  }
  return responses;
}

function readOne(text) {
  const end = text.indexOf("\r\n\r\n");
  const lines = text.slice(0, Math.max(end, 0)).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(lines[0])?.[1] ?? 0);
  if (end < 0 || status === 0) return { status, headers: {}, body: text, size: text.length, whole: false };
  const headers = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const body = readBody(text.slice(end + 4), status, headers);
  return { status, headers, ...body, size: end + 4 + body.taken };
}

function readBody(text, status, headers) {
  const none = text === "" || text.startsWith("HTTP/1."); // to HEAD; no body of ours begins so
  if (status < 200 || status === 204 || status === 304 || none) return { body: "", taken: 0, whole: true };
  if (/chunked/i.test(headers["transfer-encoding"] ?? "")) return readChunks(text);
  const length = Number(headers["content-length"] ?? text.length);
  return { body: text.slice(0, length), taken: Math.min(length, text.length), whole: text.length >= length };
}

function readChunks(text) {
  let body = "";
  for (let at = 0; ; ) {
    const line = text.indexOf("\r\n", at);
    const size = line < 0 ? NaN : parseInt(text.slice(at, line), 16);
    if (Number.isNaN(size)) return { body, taken: text.length, whole: false };
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
    if (size === 0 || at > text.length) return { body, taken: Math.min(at, text.length), whole: size === 0 && at <= text.length };
  }
}
