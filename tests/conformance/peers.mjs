// SPDX-License-Identifier: Apache-2.0
// nginx and HAProxy as people run them, each before one upstream a name, on Unix sockets in a directory of their own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** {NAME: PORT} of upstreams -> {NAME: what net.connect takes}, and stop(). */
export async function startNginx(folder, ports) {
  const path = (name) => join(folder, `nginx-${name}.sock`);
  const servers = Object.entries(ports).map(
    ([name, port]) => `
  upstream ${name} { server 127.0.0.1:${port}; keepalive 2; }
  server { listen unix:${path(name)}; location / { proxy_pass http://${name}; proxy_set_header Host $http_host; } }`,
  );
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((one) => `${one}_temp_path ${folder}/nginx-${one};`);
  writeFileSync(
    join(folder, "nginx.conf"),
    `${process.getuid() === 0 ? "user root;" : ""} worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { }
http {
  access_log off; keepalive_requests 1000000; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off;
  proxy_ignore_client_abort on; proxy_next_upstream off; ${temporary.join(" ")}
  ${servers.join("")}
}
`,
  );
  return run("nginx", ["-p", folder, "-e", join(folder, "nginx.log"), "-c", join(folder, "nginx.conf")], ports, path);
}

export async function startHaproxy(folder, ports) {
  const path = (name) => join(folder, `haproxy-${name}.sock`);
  const parts = Object.entries(ports).map(
    ([name, port]) => `
listen ${name}
  bind unix@${path(name)}
  server one 127.0.0.1:${port}`,
  );
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `defaults
  mode http
  option http-keep-alive
  http-reuse always
  retries 0
  timeout connect 2s
  timeout client 3s
  timeout server 3s
  timeout http-request 3s
${parts.join("\n")}
`,
  );
  return run("haproxy", ["-db", "-q", "-f", join(folder, "haproxy.cfg")], ports, path);
}

async function run(program, args, ports, path) {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  const found = {};
  for (const name of Object.keys(ports)) found[name] = await reached({ path: path(name) }, child);
  const stop = async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  return { ...found, stop };
}

async function reached(to, child) {
  for (const since = Date.now(); Date.now() - since < 10_000; await pause(20)) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended: ${child.exitCode}`);
    const socket = connect(to);
    const here = await Promise.race([once(socket, "connect").then(() => true), once(socket, "error").then(() => false)]).catch(() => false);
    socket.destroy();
    if (here) return to;
  }
  throw new Error(`${child.spawnfile} does not listen`);
}
