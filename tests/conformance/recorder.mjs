// SPDX-License-Identifier: Apache-2.0
// What stands behind each server: notes every whole request that comes, and says in its answer which one it was.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

/** {port, take(), close()}; `strict`: refuses as a server of its own would. take() gives the requests since the last call. What an engine asks for is not noted. */
export async function startRecorder({ strict = false } = {}) {
  let seen = [];
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, requireHostHeader: strict }, async (request, response) => {
    const hash = createHash("sha1");
    let length = 0;
    try {
      for await (const piece of request) hash.update(piece), (length += piece.length);
    } catch {
      return; // it broke off: no request
    }
    if (request.url.startsWith("/webapi/v2/")) return response.writeHead(404, { "Content-Type": "application/json" }).end("{}");
    const note = { method: request.method, url: request.url, length, body: hash.digest("hex").slice(0, 8), of: request.headers["x-case"] ?? "" };
    seen.push(note);
    response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": 2, "X-Echo": Buffer.from(JSON.stringify(note)).toString("base64url") });
    response.end("ok");
  });
  server.httpAllowHalfOpen = true;
  server.on("clientError", (error, socket) => {
    if (!socket.writable) return socket.destroy();
    socket.end("HTTP/1.1 400 Bad Request\r\nX-Recorder: refuses\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const take = () => {
    const taken = seen;
    seen = [];
    return taken;
  };
  return { port: server.address().port, take, close: () => (server.closeAllConnections(), server.close()) };
}
