// SPDX-License-Identifier: Apache-2.0
// The suite's own origin server, on a free port of loopback and below a path of ours.
import { createServer } from "node:http";
import handleConfig from "./package/server/handle-config.mjs";
import handleState from "./package/server/handle-state.mjs";
import handleTest from "./package/server/handle-test.mjs";

const handlers = { config: handleConfig, state: handleState, test: handleTest };

// The suite's handlers warn of what they refuse there; the test's report says more.
const say = console.log;
console.log = (...said) => String(said[0]).startsWith("SERVER WARNING") || say(...said);

export function startOrigin(below) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://origin");
    const [, dispatch, ...rest] = pathname.startsWith(below + "/") ? pathname.slice(below.length).split("/") : [];
    if (handlers[dispatch]) return handlers[dispatch](rest, request, response);
    response.writeHead(404, { "Content-Type": "application/json" });
    response.end("{}");
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve({ port: server.address().port, close: () => (server.closeAllConnections(), server.close()) })),
  );
}
