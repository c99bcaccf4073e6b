// SPDX-License-Identifier: Apache-2.0
// Between a mirror and its upstream: passes everything on, notes what local apps' requests became, and can add headers
// to the answers to them, or answer with a status instead. Once cut, upstream is away.
import { createServer, request } from "node:http";

export async function startTap(port) {
  const tap = { asked: [], more: {}, status: undefined, cut: () => (server.closeAllConnections(), server.close()) };
  const server = createServer((rq, response) => {
    const forApp = rq.headers.via !== undefined; // the engine's own have none
    if (forApp) tap.asked.push({ method: rq.method, url: rq.url, headers: rq.headers });
    if (forApp && tap.status) return response.writeHead(tap.status, { "Content-Type": "application/json" }).end("{}");
    const onward = request({ host: "127.0.0.1", port, method: rq.method, path: rq.url, headers: { ...rq.headers, host: `127.0.0.1:${port}` } }, (came) => {
      response.writeHead(came.statusCode, { ...came.headers, ...(forApp ? tap.more : {}) });
      came.pipe(response);
    });
    onward.on("error", () => response.destroy());
    rq.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  tap.port = server.address().port;
  return tap;
}
