// SPDX-License-Identifier: Apache-2.0
// Mutated requests to us, nginx, HAProxy and node side by side, and through nginx and HAProxy to us. Behind each stands
// a recorder. ALLI_SEED repeats a run, ALLI_BESIDE_SECONDS lengthens it, ALLI_CASE shows one case.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { host, makeCase } from "./corpus.mjs";
import { startHaproxy, startNginx } from "./peers.mjs";
import { exchange } from "./raw.mjs";
import { startRecorder } from "./recorder.mjs";
import { end, startMirror } from "./world.mjs";

const seed = Number(process.env.ALLI_SEED ?? Math.floor(Math.random() * 2 ** 31));
const seconds = Number(process.env.ALLI_BESIDE_SECONDS ?? 45);
const width = 4; // lanes side by side
const folder = mkdtempSync(join(tmpdir(), "alli-beside-"));
const peers = ["nginx", "haproxy", "node"];
const names = ["us", ...peers, "nginxUs", "haproxyUs"];
const lanes = []; // each with servers of its own, by name: {to, recorder}
const started = [];

before(async () => {
  const recorders = [], ports = [], behind = {};
  for (let lane = 0; lane < width; ++lane) {
    recorders[lane] = {};
    for (const name of names) recorders[lane][name] = await startRecorder({ strict: name === "node" });
    ports[lane] = {};
    for (const name of ["us", "nginxUs", "haproxyUs"]) ports[lane][name] = await startUs(recorders[lane][name].port);
    for (const front of ["nginx", "haproxy"]) {
      behind[front] ??= {};
      behind[front][`alone${lane}`] = recorders[lane][front].port;
      behind[front][`us${lane}`] = ports[lane][`${front}Us`];
    }
  }
  const nginx = await startNginx(folder, behind.nginx);
  started.push(nginx.stop);
  const haproxy = await startHaproxy(folder, behind.haproxy);
  started.push(haproxy.stop);
  for (let lane = 0; lane < width; ++lane) {
    const own = (port) => ({ host: "127.0.0.1", port });
    const to = {
      us: own(ports[lane].us), node: own(recorders[lane].node.port), nginx: nginx[`alone${lane}`], haproxy: haproxy[`alone${lane}`],
      nginxUs: nginx[`us${lane}`], haproxyUs: haproxy[`us${lane}`],
    };
    lanes.push(Object.fromEntries(names.map((name) => [name, { to: to[name], recorder: recorders[lane][name] }])));
  }
});

async function startUs(upstream) {
  const mirror = await startMirror(`http://127.0.0.1:${upstream}`, { PROXY_ALLOWED_HOSTS: host, PROXY_LOOPS: "1" });
  started.push(() => end(mirror));
  return mirror.port;
}

after(async () => {
  for (const stop of started.reverse()) await stop();
  for (const lane of lanes) for (const { recorder } of Object.values(lane)) recorder.close();
  rmSync(folder, { recursive: true, force: true });
});

// What a chain made of a case. `accepted`: what was answered as a request of the case's own, in order.
async function ask({ to, recorder }, one) {
  const { responses, hung } = await exchange(to, one.bytes);
  const recorded = recorder.take();
  const echoes = responses.filter(({ headers }) => headers["x-echo"]).map(({ headers }) => JSON.parse(Buffer.from(headers["x-echo"], "base64url")));
  const refusedBehind = responses.some(({ headers }) => headers["x-recorder"]);
  return { statuses: responses.map(({ status }) => status), hung, refusedBehind, recorded, echoes, accepted: echoes.filter(({ url }) => !url.includes("/webapi/end/")).map(told) };
}

const told = ({ method, url, length, body }) => `${method} ${url.replace(/^https?:\/\/[^/?#]*/i, "").replace(/^(?=\?|$)/, "/")} ${length} ${body}`;

// In their order, with others between: what one refuses, and goes on after, another may take.
function isPart(some, all) {
  let at = 0;
  return some.every((one) => (at = all.indexOf(one, at) + 1) > 0);
}

async function askAll(lane, one) {
  const found = await Promise.all(names.map((name) => ask(lane[name], one)));
  return Object.fromEntries(names.map((name, at) => [name, found[at]]));
}

/** What must not be, in words. */
function faults(one, found) {
  const wrong = [];
  const ours = found.us.accepted;
  if (ours.length > 0 && peers.every((name) => found[name].accepted.length === 0)) wrong.push("only we accept it");
  else if (!peers.some((name) => isPart(ours, found[name].accepted))) wrong.push("nobody reads it as we do");
  for (const [name, { recorded, echoes, hung }] of Object.entries(found)) {
    if (peers.includes(name)) continue;
    if (hung) wrong.push(`${name}: no end`);
    if (recorded.length !== echoes.length) wrong.push(`${name}: ${recorded.length} requests went out, ${echoes.length} were answered`);
    if (echoes.some(({ of }) => /^[0-9a-f]{8}$/.test(of) && of !== one.id && !one.bytes.includes(of))) wrong.push(`${name}: an answer to another's request`);
  }
  for (const front of ["nginx", "haproxy"])
    if (!found[front].refusedBehind && !isPart(found[`${front}Us`].accepted, found[front].accepted)) wrong.push(`behind ${front} we read what it did not say`);
  return wrong;
}

function describe(one, found) {
  const lines = Object.entries(found).map(([name, { statuses, accepted, recorded }]) => `  ${name}: ${statuses.join(" ")} | ${accepted.join(" ; ")} | ${recorded.length} recorded`);
  return `case ${one.number} (${one.how}) of seed ${seed}: ${JSON.stringify(one.bytes)}\n${lines.join("\n")}`;
}

async function judge(lane, one, wrong, counts, show = () => {}) {
  let found = await askAll(lane, one);
  let faulty = faults(one, found);
  if (faulty.length > 0) {
    found = await askAll(lane, one); // a busy machine is no fault of anybody
    const again = faults(one, found);
    faulty = faulty.filter((words) => again.includes(words));
  }
  show(describe(one, found));
  for (const name of names) counts[name] = (counts[name] ?? 0) + (found[name].accepted.length > 0);
  if (faulty.length > 0) wrong.push(`${faulty.join("; ")}: ${describe(one, found)}`);
}

test("what we accept others accept, read as we read it, and as many requests go out as came in", { timeout: (seconds + 60) * 1000 }, async () => {
  console.log(`ALLI_SEED=${seed}`);
  const until = Date.now() + seconds * 1000;
  const wrong = [], counts = {};
  let cases = 0;
  const work = async (lane) => {
    while (Date.now() < until) await judge(lane, makeCase(seed, cases++), wrong, counts);
  };
  if (process.env.ALLI_CASE) await judge(lanes[0], makeCase(seed, Number(process.env.ALLI_CASE)), wrong, counts, console.log);
  else await Promise.all(lanes.map(work));
  console.log(`${cases} cases; accepted: ${Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ")}`);
  assert.equal(wrong.length, 0, `${wrong.length} faults\n${wrong.slice(0, 20).join("\n")}`);
  assert.ok(counts.us > 0.05 * cases || cases < 100, "next to nothing was accepted: the corpus tests nothing");
});
