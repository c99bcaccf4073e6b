// SPDX-License-Identifier: Apache-2.0
// Users, apps and categories that were on the screen: what is offered when a filter is typed. In memory alone.
import { plainLine } from "./text.js";

const most = 200;
const seen = { user: new Set(), app: new Set(), category: new Set() };

function add(kind, value) {
  const line = plainLine(value);
  if (line && seen[kind].size < most) seen[kind].add(line);
}

export function learn({ user, llmApp, categories }) {
  add("user", user?.userId);
  add("app", llmApp?.name);
  for (const category of categories ?? []) add("category", category);
}

export const known = (kind) => [...(seen[kind] ?? [])].sort();
