// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { dayMeant, relative, shortTime, startOfDay, instantOf } from "./page/dates.js";
import { OffsetTree } from "./page/offsets.js";
import en from "./page/en.js";
import ja from "./page/ja.js";
import ko from "./page/ko.js";
import { chooseLanguage } from "./page/i18n.js";
import { ChatPages } from "./page/chatpages.js";
import { addFilter, hasWords, queryToSend, readQuery, takeFilters, withFilter, withoutFilter, writeQuery } from "./page/query.js";
import { readPlace, writePlace } from "./page/router.js";

test("filters of a query become chips and the words stay", () => {
  const query = readQuery('user:mina "ocean view" app:"My app" -not OR 여행* after:2026-01-01 http://x');
  assert.deepEqual(query.filters, [{ kind: "user", value: "mina" }, { kind: "app", value: "My app" }, { kind: "after", value: "2026-01-01" }]);
  assert.equal(query.words, '"ocean view" -not OR 여행* http://x');
  assert.deepEqual(readQuery(writeQuery(query)), query);
  for (const odd of ['"', "user:", 'user:"', ":", "  ", 'a"b c"d', 'app:""']) assert.deepEqual(readQuery(writeQuery(readQuery(odd))), readQuery(odd), odd);
});

test("ratings, states and days that move are filters, and what cannot be one stays words", () => {
  const query = readQuery("rating:BAD agentrating:none state:no has:citations assignee:\"Mina Park\" channel:KAKAO after:7d before:Yesterday x");
  assert.deepEqual(query.filters.map(({ kind, value }) => `${kind} ${value}`), ["rating bad", "agentrating none", "state no", "has citations", "assignee Mina Park", "channel KAKAO", "after 7d", "before Yesterday"]);
  assert.equal(query.words, "x");
  for (const odd of ["rating:meh", "has:rating", "after:lunch", "after:7x", "before:d"]) assert.equal(readQuery(odd).words, odd);
  assert.equal(writeQuery(readQuery(withFilter("rating:bad x", "rating", "good"))), "rating:bad rating:good x");
  assert.equal(withoutFilter("rating:bad app:a rating:good x", "rating"), "app:a x");
});

test("a day that moves is the one that is meant now, where the reader is", () => {
  const zone = process.env.TZ;
  try {
    process.env.TZ = "Asia/Seoul";
    const now = Date.parse("2026-03-31T20:00:00Z"); // the 1st of April there
    for (const [text, day] of [["today", "2026-04-01"], ["Yesterday", "2026-03-31"], ["어제", "2026-03-31"], ["昨日", "2026-03-31"], ["7d", "2026-03-25"], ["2W", "2026-03-18"], ["1m", "2026-03-01"], ["1y", "2025-04-01"], ["0d", "2026-04-01"]])
      assert.equal(dayMeant(text, now), day, text);
    process.env.TZ = "UTC";
    assert.equal(dayMeant("1m", now), "2026-02-28", "no day is left out where a month is shorter");
    assert.equal(dayMeant("24h", now), "2026-03-30T20:00:00.000Z");
    for (const text of ["", "7", "d", "lunch", "-7d", "99999d", "2026-01-31"]) assert.equal(dayMeant(text, now), text);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test("a filter is added and taken away", () => {
  assert.equal(withFilter("x", "category", "a b"), 'category:"a b" x');
  assert.equal(withFilter("sender:USER x", "sender", "BOT"), "sender:BOT x", "there is one sender");
  assert.equal(withFilter("user:a", "user", "b"), "user:a user:b");
  assert.deepEqual(addFilter([{ kind: "user", value: "a" }], { kind: "user", value: "a" }), [{ kind: "user", value: "a" }]);
  assert.equal(hasWords("user:a after:2026-01-01"), false);
  assert.equal(hasWords("user:a x"), true);
});

test("a filter is taken from a text once it is typed to its end", () => {
  for (const [typed, text, filters] of [
    ["user:mina|", "user:mina|", []],
    ["user:mina |", "|", ["user mina"]],
    ["see user:mina |now", "see |now", ["user mina"]],
    ["see user:mi|na now", "see user:mi|na now", []],
    ["user:mina app:store hot|", "hot|", ["user mina", "app store"]],
    ['user:"Mina |', 'user:"Mina |', []],
    ['user:"Mina Park" |', "|", ["user Mina Park"]],
    ["user:“Mina Park”\u3000|", "|", ["user Mina Park"]],
    ["user: |", "user: |", []],
    ["before:2026-13-01 |", "before:2026-13-01 |", []],
    ["before:2026-02-31 |", "before:2026-02-31 |", []],
    ["before:2026-02-28T10:00:00+09:00 |", "|", ["before 2026-02-28T10:00:00+09:00"]],
    ["a  user:b  c|", "a   c|", ["user b"]],
  ]) {
    const taken = takeFilters(typed.replace("|", ""), typed.indexOf("|"));
    const { text: left, caret } = taken;
    assert.equal(`${left.slice(0, caret)}|${left.slice(caret)}`, text, typed);
    assert.deepEqual(taken.filters.map(({ kind, value }) => `${kind} ${value}`), filters, typed);
  }
  assert.deepEqual(takeFilters("x user:mina"), { text: "x ", caret: null, filters: [{ kind: "user", value: "mina" }] });
});

test("a day is asked for as the instant that it begins with where the reader is", () => {
  const zone = process.env.TZ;
  try {
    for (const [tz, day, instant, before] of [
      ["Asia/Seoul", "2026-01-05", "2026-01-05T00:00:00+09:00", "2026-01-04T23:59:59.999999+09:00"],
      ["America/New_York", "2026-07-05", "2026-07-05T00:00:00-04:00", "2026-07-04T23:59:59.999999-04:00"],
      ["Asia/Kolkata", "2026-01-01", "2026-01-01T00:00:00+05:30", "2025-12-31T23:59:59.999999+05:30"],
      ["America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00", "2026-09-05T23:59:59.999999-04:00"], // there is no midnight on that day
    ]) {
      process.env.TZ = tz;
      assert.equal(startOfDay(day), instant);
      assert.equal(queryToSend(`x after:${day} y`), `after:${before} x y`, "what is said at midnight is of the day");
      assert.equal(queryToSend(`x before:${day} y`), `before:${instant} x y`);
    }
    assert.equal(queryToSend("x  after:tomorrow"), "x  after:tomorrow");
    assert.equal(queryToSend("after:2026-01-05T00:00:00Z"), "after:2026-01-05T00:00:00Z");
  } finally {
    process.env.TZ = zone ?? "";
    if (zone === undefined) delete process.env.TZ;
  }
});

test("a place and its address are the same", () => {
  const place = { view: "read", id: "Q29u/+dg==", q: "여행 #1", sort: "relevance", chat: "a&b", at: "2026-01-01T00:00:00Z" };
  assert.deepEqual(readPlace(writePlace(place)), place);
  for (const odd of ["", "#", "#/", "#/nothing", "#/c/", "#/c/%zz"]) assert.equal(readPlace(odd).view, "list", odd);
});

test("times of either unit and of our own kind are instants", () => {
  assert.equal(instantOf(1615246647609.666), 1615246647609.666);
  assert.equal(instantOf(1615246647), 1615246647000);
  assert.equal(instantOf("2026-01-01T00:00:00Z"), Date.UTC(2026, 0, 1));
  for (const none of [null, undefined, "x", NaN, 0]) assert.equal(instantOf(none), null);
  assert.equal(relative(0 + 1000, "en", 61_000), "1 minute ago");
  assert.notEqual(shortTime(Date.UTC(2020, 5, 1), "ja", Date.UTC(2026, 0, 1)), "");
});

test("heights add up, and the row at a distance is found", () => {
  const heights = new OffsetTree(10_000, 50);
  heights.set(3, 500);
  heights.set(9_999, 10);
  assert.equal(heights.above(4), 650);
  assert.equal(heights.above(10_000), 9_998 * 50 + 510);
  for (const index of [0, 3, 4, 5_000, 9_999]) {
    assert.equal(heights.at(heights.above(index)), index);
    assert.equal(heights.at(heights.above(index) + 9), index);
  }
  assert.equal(heights.at(1e9), 9_999);
});

test("a chat is found by its time in few pages", async () => {
  let asked = 0;
  const chats = Array.from({ length: 10_050 }, (_, i) => ({ id: `c${i}`, timestamp: 1e12 + Math.floor(i / 3) * 1000 }));
  const load = async (id, page) => (++asked, chats.slice((page - 1) * 100, page * 100));
  const pages = new ChatPages("x", 10_050, load);
  for (const wanted of [0, 99, 100, 101, 7_777, 10_049]) assert.equal(await pages.find(`c${wanted}`, chats[wanted].timestamp), wanted);
  assert.ok(asked < 40, `${asked} pages`);
  assert.equal(await pages.find("gone", 1e12), null);
  const wrong = new ChatPages("x", 10_049, load);
  await wrong.page(101);
  assert.equal(wrong.count, 10_050, "what is there counts");
});

test("every word is there in every language", () => {
  for (const other of [ko, ja]) assert.deepEqual(Object.keys(other), Object.keys(en));
  assert.equal(chooseLanguage(["fr-FR", "ko-KR"]), "ko");
  assert.equal(chooseLanguage([]), "en");
});
