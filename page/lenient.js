// SPDX-License-Identifier: Apache-2.0
// What upstream wrote, whatever it wrote: texts that no JSON parser takes (raw control characters, NaN), and members of
// other types than the contract's. What cannot be read becomes nothing; the rest is shown. Pure.
import { wholeCharacters } from "./text.js";

const blank = /[\s,:]/;
const word = /[^\s,:"{}[\]]*/y;
const deepest = 200;

function endOfString(text, at) {
  for (let i = at + 1; i < text.length; ++i) {
    if (text[i] === "\\") ++i;
    else if (text[i] === '"') return i + 1;
  }
  throw new SyntaxError("a string does not end");
}

const escapes = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", "/": "/" };

function decode(inside) {
  const text = inside.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (whole, what) =>
    what.length === 5 ? String.fromCharCode(parseInt(what.slice(1), 16)) : (escapes[what] ?? `\ufffd${what}`));
  return wholeCharacters(text);
}

function plain(token) {
  try {
    return JSON.parse(token);
  } catch {
    return null;
  }
}

/** The values of a text of which the strings and brackets close; throws SyntaxError where they do not. */
export function readLenient(text) {
  const open = [];
  let root;
  const add = (value, name = value) => {
    const top = open.at(-1);
    if (!top) root = value;
    else if (Array.isArray(top.holder)) top.holder.push(value);
    else if (top.key === null) top.key = typeof name === "string" ? name : null;
    else {
      Object.defineProperty(top.holder, top.key, { value, enumerable: true, writable: true, configurable: true });
      top.key = null;
    }
  };
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length; ) {
    const c = text[at];
    if (blank.test(c)) {
      if (c === "," && open.at(-1)?.key != null) add(null); // a name without a value
      ++at;
    } else if (c === '"') {
      const end = endOfString(text, at);
      add(decode(text.slice(at + 1, end - 1)));
      at = end;
    } else if (c === "{" || c === "[") {
      const holder = c === "{" ? {} : [];
      add(open.length < deepest ? holder : null);
      open.push({ holder, key: null });
      ++at;
    } else if (c === "}" || c === "]") {
      const top = open.pop();
      if (!top || Array.isArray(top.holder) !== (c === "]")) throw new SyntaxError("brackets do not match");
      ++at;
    } else {
      word.lastIndex = at;
      const token = word.exec(text)[0];
      add(plain(token), token);
      at += token.length;
    }
  }
  if (open.length > 0 || root === undefined) throw new SyntaxError("it is cut short");
  return root;
}

export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return readLenient(text);
  }
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const object = (value) => (isObject(value) ? value : null);
const string = (value) => (typeof value === "string" ? value : null);
const id = (value) => wholeCharacters(typeof value === "number" ? String(value) : (string(value) ?? ""));
const number = (value) => {
  const read = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof read === "number" && Number.isFinite(read) ? read : null;
};
const time = (value) => number(value) ?? string(value);
const list = (value) => (Array.isArray(value) ? value : []);

/** A chat whose members are of the types that the page goes by. */
export function tidyChat(chat) {
  const sent = object(chat) ?? {};
  const { message } = sent;
  const text = isObject(message) || Array.isArray(message) ? JSON.stringify(message) : message == null ? message : String(message);
  return { ...sent, id: id(sent.id), sender: string(sent.sender), message: text, timestamp: time(sent.timestamp), citations: list(sent.citations).filter(isObject) };
}

/** A conversation likewise. */
export function tidyConversation(conversation) {
  const sent = object(conversation) ?? {};
  const user = object(sent.user);
  const app = object(sent.llmApp);
  const tidy = { ...sent, id: id(sent.id), title: string(sent.title), categories: list(sent.categories).filter((one) => typeof one === "string") };
  tidy.user = user && { ...user, userId: id(user.userId) || null, firstName: string(user.firstName), lastName: string(user.lastName) };
  tidy.llmApp = app && { ...app, id: id(app.id), name: string(app.name) };
  tidy.createdAt = time(sent.createdAt);
  tidy.lastChatTime = time(sent.lastChatTime);
  tidy.chatCount = number(sent.chatCount);
  tidy.chats = list(sent.chats).map(tidyChat);
  return tidy;
}

/** What an answer holds, inside an envelope or not. */
export const contentOf = (body, name) => (body && !(name in body) && isObject(body.result) ? body.result : (body ?? {}));
