// SPDX-License-Identifier: Apache-2.0
// A query as the search reads it: words, "phrases", OR, -not, prefix*, and filters (user:, app:, ...), which the page
// shows as chips. Taking a query apart and putting it together again gives the same query. Pure.

export const kinds = ["user", "app", "category", "sender", "after", "before"];

// A piece is a run without blanks, but for what stands between quotes.
const piece = /(?:[^\s"]|"[^"]*"?)+/g;
const filter = new RegExp(`^(${kinds.join("|")}):(.+)$`, "is");

function unquoted(text) {
  return text.replace(/"/g, "");
}

function quoted(value) {
  return /[\s"]/.test(value) || value === "" ? `"${unquoted(value)}"` : value;
}

/** {words: "what is left", filters: [{kind, value}]} */
export function readQuery(text) {
  const words = [];
  const filters = [];
  for (const part of text.match(piece) ?? []) {
    const found = filter.exec(part);
    const value = found && unquoted(found[2]);
    if (value) filters.push({ kind: found[1].toLowerCase(), value });
    else words.push(part);
  }
  return { words: words.join(" "), filters };
}

export function writeQuery({ words, filters }) {
  return [...filters.map(({ kind, value }) => `${kind}:${quoted(value)}`), words.trim()].filter(Boolean).join(" ");
}

/** Dates and senders there is one of; of users, apps and categories any number. */
export function withFilter(text, kind, value) {
  const query = readQuery(text);
  const single = ["after", "before", "sender"].includes(kind);
  query.filters = query.filters.filter((old) => old.kind !== kind || (!single && old.value !== value));
  query.filters.push({ kind, value });
  return writeQuery(query);
}

export function withoutFilter(text, index) {
  const query = readQuery(text);
  query.filters.splice(index, 1);
  return writeQuery(query);
}

/** What is to be marked in a message: the words that are looked for, without signs and without what must not be there. */
export function wantedWords(text) {
  return (readQuery(text).words.match(piece) ?? [])
    .filter((word) => !word.startsWith("-") && word !== "OR" && word !== "AND")
    .map((word) => unquoted(word).replace(/\*$/, ""))
    .filter(Boolean)
    .slice(0, 20);
}
