// SPDX-License-Identifier: Apache-2.0
// The real program in a home of its own, in front of an upstream that a test chooses.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start, stop } from "./start.mjs";

export const program = process.env.PROGRAM;
export const key = "sandbox";
export { stop };

/** {port, ...} of a daemon in front of `upstream`; `settings` by their environment variables without the prefix. */
export async function startMirror(upstream, settings = {}) {
  const home = mkdtempSync(join(tmpdir(), "alli-conformance-"));
  const environment = { HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home, ALLI_API_KEY: key };
  const given = {
    UPSTREAM_URL: upstream, UPSTREAM_REQUESTS_PER_SECOND: "0", MIRROR_PATH: join(home, "mirror.db"), PROXY_LISTEN: "127.0.0.1:0", SYNC_INTERVAL: "24h", ...settings,
  };
  for (const [name, value] of Object.entries(given)) environment[`ALLI_MIRROR_${name}`] = value;
  const mirror = await start(program, ["serve"], environment, /listens on 127\.0\.0\.1:(\d+)/);
  return { ...mirror, port: Number(mirror.found[1]), home };
}

export async function startSandbox(...options) {
  const home = mkdtempSync(join(tmpdir(), "alli-conformance-"));
  const sandbox = await start(program, ["sandbox", "--listen", "127.0.0.1:0", ...options], { HOME: home }, /http:\/\/127\.0\.0\.1:(\d+)/);
  return { ...sandbox, port: Number(sandbox.found[1]), home };
}

export async function end(started) {
  if (!started) return;
  if (started.child.exitCode === null && started.child.signalCode === null) await stop(started);
  rmSync(started.home, { recursive: true, force: true });
}
