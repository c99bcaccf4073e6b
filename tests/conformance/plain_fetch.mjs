// SPDX-License-Identifier: Apache-2.0
// As much of fetch as the suite uses: it sends what it is given and nothing else, and never tries again.
import { request } from "node:http";

/** `more`: headers of every request. */
export function fetchOver(more) {
  return async (url, { method = "GET", headers = [], body } = {}) => {
    const fields = Object.entries(more);
    for (const [name, value] of headers) fields.push([name, String(value)]);
    if (body) fields.push(["Content-Length", String(Buffer.byteLength(body))]);
    const response = await send(url, method, [["Host", new URL(url).host], ...fields].flat(), body);
    let text = "";
    for await (const piece of response.setEncoding("utf8")) text += piece;
    return { status: response.statusCode, statusText: response.statusMessage, headers: new Headers(pairs(response.rawHeaders)), text: async () => text };
  };
}

function send(url, method, headers, body) {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false });
    asked.on("error", reject).on("response", resolve).end(body);
  });
}

function pairs(raw) {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1]]] : []));
}
