// SPDX-License-Identifier: Apache-2.0
// receiver.mjs PORT SECRET FILE: verifies each message with the reference library, and writes a line of it to the file before it
// answers. What does not verify is written too, and refused.
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const [port, secret, file] = process.argv.slice(2);
const webhook = new Webhook(secret);

createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    let said, why = null;
    try {
      said = webhook.verify(body, request.headers);
    } catch (error) {
      why = String(error);
    }
    appendFileSync(file, `${JSON.stringify({ id: request.headers["webhook-id"], said, why })}\n`);
    response.writeHead(why ? 400 : 204).end();
  });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
