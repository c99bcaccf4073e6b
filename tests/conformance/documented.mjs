// SPDX-License-Identifier: Apache-2.0
// What docs/http-conformance.md says, for tests that hold it against what they see.
import { readFileSync } from "node:fs";

const text = readFileSync(process.env.DOCUMENT, "utf8");

/** The names in backticks at the head of the list items below a heading, sorted; a line may hold several. */
export function listed(heading) {
  const [, rest] = text.split(`## ${heading}\n`);
  if (rest === undefined) throw new Error(`the document has no heading "${heading}"`);
  const lines = rest.split(/^#+ /m)[0].split("\n").filter((line) => line.startsWith("- "));
  return lines.flatMap((line) => [...line.slice(2).split(": ")[0].matchAll(/`([^`]+)`/g)].map(([, name]) => name)).sort();
}
