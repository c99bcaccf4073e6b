// SPDX-License-Identifier: Apache-2.0
// Suggestions for filters: users, apps and categories that have been on the screen, and what those are called that a
// filter means by id. In memory only.
import { Emitter } from "./emitter.js";
import { plainLine } from "./text.js";

const most = 200;
const suggestions = Object.fromEntries(["user", "app", "category", "state", "assignee", "channel"].map((kind) => [kind, new Set()]));

function add(kind, value) {
  const line = plainLine(value);
  if (line && suggestions[kind].size < most) suggestions[kind].add(line);
}

const names = new Map(); // "kind id"
/** A name came to be known, or another one. */
export const named = new Emitter();

export function rememberName(kind, id, name) {
  const line = plainLine(name), key = `${kind} ${id}`;
  if (!id || !line || names.get(key) === line || names.size >= most * 10) return;
  names.set(key, line);
  named.emit({ kind, id });
}

/** A name of this id; without one the id itself. */
export const nameFor = (kind, id) => names.get(`${kind} ${id}`) ?? id;

export function rememberSuggestions({ user, llmApp, categories, ...facts }) {
  add("user", user?.userId);
  add("app", llmApp?.name);
  rememberName("app", llmApp?.id, llmApp?.name);
  for (const kind of ["state", "assignee", "channel"]) if (typeof facts[kind] === "string") add(kind, facts[kind]);
  for (const category of categories ?? []) add("category", category);
}

export const suggestionsFor = (kind) => [...(suggestions[kind] ?? [])].sort();
