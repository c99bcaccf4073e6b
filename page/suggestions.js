// SPDX-License-Identifier: Apache-2.0
// Suggestions for filters: users, apps and categories that have been on the screen. In memory only.
import { plainLine } from "./text.js";

const most = 200;
const suggestions = Object.fromEntries(["user", "app", "category", "state", "assignee", "channel"].map((kind) => [kind, new Set()]));

function add(kind, value) {
  const line = plainLine(value);
  if (line && suggestions[kind].size < most) suggestions[kind].add(line);
}

export function rememberSuggestions({ user, llmApp, categories, ...facts }) {
  add("user", user?.userId);
  add("app", llmApp?.name);
  for (const kind of ["state", "assignee", "channel"]) if (typeof facts[kind] === "string") add(kind, facts[kind]);
  for (const category of categories ?? []) add("category", category);
}

export const suggestionsFor = (kind) => [...(suggestions[kind] ?? [])].sort();
