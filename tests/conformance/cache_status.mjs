// SPDX-License-Identifier: Apache-2.0
// RFC 9211's Cache-Status, read as strictly as RFC 8941 writes it.
import assert from "node:assert/strict";

const token = "[A-Za-z*][A-Za-z0-9!#$%&'*+\\-.^_`|~:/]*";
const string = '"(?:[ !#-\\[\\]-~]|\\\\["\\\\])*"';
const parameter = `; *[a-z*][a-z0-9_\\-.*]*(?:=(?:${token}|${string}|-?[0-9]{1,15}))?`;
const member = new RegExp(`^(${token})((?:${parameter})*)$`);
const reasons = ["bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"];

/** Of the last cache, ours: {hit, fwd, ttl, ...}. */
export function readCacheStatus(value) {
  const members = value.split(/, */); // none of ours holds a comma
  const found = member.exec(members.at(-1));
  assert.ok(found, `no structured field: ${value}`);
  assert.equal(found[1], "alli-mirror");
  const status = {};
  for (const [, name, , given] of found[2].matchAll(/; *([a-z-]+)(=([^;]+))?/g)) status[name] = given ?? true;
  check(status, value);
  return status;
}

function check(status, value) {
  assert.ok(!(status.hit && status.fwd), `hit and fwd at once: ${value}`);
  if (status.hit !== undefined) assert.equal(status.hit, true, value);
  if (status.fwd !== undefined) assert.ok(reasons.includes(status.fwd), value);
  for (const name of ["fwd-status", "stored", "collapsed"]) if (status[name] !== undefined) assert.ok(status.fwd, `${name} without fwd: ${value}`);
  if (status["fwd-status"] !== undefined) assert.match(status["fwd-status"], /^[1-5]\d\d$/, value);
  if (status.ttl !== undefined) assert.match(status.ttl, /^-?\d+$/, value);
  const known = ["hit", "fwd", "fwd-status", "ttl", "stored", "collapsed", "key", "detail"];
  for (const name of Object.keys(status)) assert.ok(known.includes(name), `${name}: ${value}`);
}
