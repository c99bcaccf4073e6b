// SPDX-License-Identifier: Apache-2.0
// The public suite for HTTP caches (npm http-cache-tests) through the relay, which keeps nothing: its required tests
// pass, and those that ask for keeping, or for what the relay refuses, are exactly those of docs/http-conformance.md.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { getResults, runTests } from "./package/client/runner.mjs";
import suites from "./package/tests/index.mjs";
import surrogate from "./package/tests/surrogate-control.mjs";
import { listed } from "./documented.mjs";
import { fetchOver } from "./plain_fetch.mjs";
import { startOrigin } from "./suite_origin.mjs";
import { end, key, startMirror } from "./world.mjs";

const tests = [...suites, surrogate].flatMap((suite) => suite.tests).filter((one) => !one.browser_only);
const byId = new Map(tests.map((one) => [one.id, one]));
const ask = fetchOver({ "API-KEY": key });
let origin, mirror, relayed, results;

before(async () => {
  origin = await startOrigin("/webapi/suite");
  mirror = await startMirror(`http://127.0.0.1:${origin.port}`);
  relayed = `http://127.0.0.1:${mirror.port}/webapi/suite`;
  leaveCacheControlToUs();
  await runTests([{ tests }], ask, false, relayed);
  results = getResults();
});
after(async () => {
  await end(mirror);
  origin?.close();
});

// The relay's answers have a Cache-Control of their own (I4 of the trust model); the suite must not compare it, or a
// quarter of its tests would end while they are set up. The last test says what becomes of the origin's.
function leaveCacheControlToUs() {
  for (const header of tests.flatMap((one) => one.requests).flatMap((request) => request.response_headers ?? []))
    if (header[0].toLowerCase() === "cache-control") header[2] = false;
}

const passed = (id) => results[id] === true;
const asksForKeeping = (id) => /does not come from cache|should have been conditional|header range is/.test(results[id][1]);
const failedNeeds = (id) => (byId.get(id).depends_on ?? []).filter((one) => !passed(one));

// As the suite itself reads its results: what a test depends on speaks for it.
function needsKeeping(id) {
  const needs = failedNeeds(id);
  return needs.length > 0 ? needs.some(needsKeeping) : asksForKeeping(id);
}

function failed(wanted) {
  return tests.filter(({ id, kind }) => kind !== "check" && !passed(id) && needsKeeping(id) === wanted).map(({ id }) => id).sort();
}

test("every test of the suite ran, and none was tried twice", () => {
  assert.deepEqual(Object.keys(results).sort(), [...byId.keys()].sort());
  for (const [id, result] of Object.entries(results)) assert.notEqual(result[1], "retry", id);
});

test("what asks for a stored response is not for the relay: those of the list, and no other", () => {
  assert.deepEqual(failed(true), listed("Not applicable: they ask for keeping"));
});

test("what the relay does otherwise are those of the list, and no other", () => {
  const others = failed(false);
  console.log(others.map((id) => `${id}: ${results[id]}`).join("\n"));
  assert.deepEqual(others, listed("Departures of the relay"));
  for (const id of others) assert.match(results[id][1], /status is (400|501|502), not/, id);
});

test("every required test passes that asks for nothing of these", () => {
  const required = tests.filter(({ kind }) => kind === undefined || kind === "required");
  const count = required.filter(({ id }) => passed(id)).length;
  console.log(`${tests.length} tests, ${required.length} required: ${count} passed, ${required.length - count} not applicable`);
  assert.ok(count >= 90, `only ${count} of ${required.length} passed`);
});

test("the origin's Cache-Control is replaced by a stricter one: what it forbids stays forbidden", async () => {
  const values = tests.flatMap((one) => one.requests).flatMap((request) => request.response_headers ?? []);
  const seen = new Set(values.filter(([name]) => name.toLowerCase() === "cache-control").map(([, value]) => value));
  seen.add("public, no-transform, max-age=1").add("No-Transform , NO-STORE");
  for (const value of seen) {
    const uuid = `control-${[...seen].indexOf(value)}`;
    const body = JSON.stringify([{ id: uuid, response_headers: [["Cache-Control", value]] }]);
    assert.equal((await ask(`${relayed}/config/${uuid}`, { method: "PUT", body })).status, 201);
    const { headers } = await ask(`${relayed}/test/${uuid}`);
    const kept = ["no-store", "no-transform"].filter((one) => value.toLowerCase().split(/\s*,\s*/).includes(one));
    assert.equal(headers.get("Cache-Control"), ["private", "no-cache", ...kept].join(", "), value);
  }
});
