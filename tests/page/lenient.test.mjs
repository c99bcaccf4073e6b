// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { contentOf, parseJson, readLenient, tidyChat, tidyConversation } from "./page/lenient.js";

test("what no parser takes is read as far as it says something", () => {
  const deep = "[".repeat(100000) + "1" + "]".repeat(100000);
  for (const [text, value] of [
    ['{"a":NaN,"b":"x"}', { a: null, b: "x" }],
    ['{"a":"raw \n\t\u0000 \u001b[31m","b":[-Infinity,007,undefined,1.5]}', { a: "raw \n\t\u0000 \u001b[31m", b: [null, null, null, 1.5] }],
    ['{"a":"half \\ud83d","b":"\\ud83d\\ude00","c":"\\x41","d":NaN}', { a: "half \ufffd", b: "😀", c: "\ufffdx41", d: null }],
    ['\ufeff{"a":1}', { a: 1 }],
    ['{"a":[1,,2,] "b":{c:"d"}}', { a: [1, 2], b: { c: "d" } }],
    ['{"__proto__":NaN,"a":"x"}', Object.defineProperty({ a: "x" }, "__proto__", { value: null, enumerable: true })],
  ]) assert.deepEqual(parseJson(text), value, text);
  assert.equal(readLenient(`{"a":${deep},"b":"x"}`).b, "x");
  for (const broken of ["", "{", '{"a":"b}', "[1}", "{]", '{"a":1}}']) assert.throws(() => parseJson(broken), SyntaxError, broken);
});

test("what is JSON is read the same either way", () => {
  const text = '{"a":[1,-2.5e3,true,false,null,"\\u00e9\\n\\"\\\\"],"b":{"c":{}},"d":[],"e":""}';
  assert.deepEqual(readLenient(text), JSON.parse(text));
});

test("members of any type leave a conversation that can be shown", () => {
  for (const odd of [null, 7, "x", true, [], {}, [{}], { a: 1 }, [null, 7, "x"]])
    for (const name of ["id", "title", "user", "llmApp", "categories", "createdAt", "lastChatTime", "chatCount", "chats", "isEnd"]) {
      const tidy = tidyConversation({ id: "a", title: "t", [name]: odd });
      assert.equal(typeof tidy.id, "string");
      assert.ok(tidy.title === null || typeof tidy.title === "string");
      assert.ok(tidy.chats.every((chat) => typeof chat.id === "string" && Array.isArray(chat.citations)));
      assert.ok(tidy.categories.every((one) => typeof one === "string"));
      assert.ok(tidy.chatCount === null || Number.isFinite(tidy.chatCount));
      tidyConversation({ id: "a", user: { userId: odd, firstName: odd }, llmApp: { name: odd } });
    }
  assert.equal(tidyConversation({ id: 7 }).id, "7");
  assert.equal(tidyConversation({ chatCount: "3" }).chatCount, 3);
  assert.equal(tidyChat({ message: { blocks: [{ text: "words" }] } }).message, '{"blocks":[{"text":"words"}]}');
  assert.equal(tidyChat({ message: 42 }).message, "42");
  assert.equal(tidyChat(null).message, undefined);
});

test("an envelope is looked through by one step", () => {
  assert.deepEqual(contentOf({ result: { id: "a" } }, "id"), { id: "a" });
  assert.deepEqual(contentOf({ id: "a", result: { id: "b" } }, "id"), { id: "a", result: { id: "b" } });
  assert.deepEqual(contentOf(null, "id"), {});
});
