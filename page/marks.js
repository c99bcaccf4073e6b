// SPDX-License-Identifier: Apache-2.0
// Which signs of a line are marks of emphasis or code: those that have a partner on it. The rule is that of the search
// index (cache/text/markdown.cpp, docs/search.md), so that what is read is what is found. Pure.

const known = new Set(["*", "**", "***", "~~", "`", "``", "```"]);
const blanks = " \t\r\n";
// Where a word may begin: behind a blank, an opening sign, or what parts sentences where no blanks are written.
const beforeWords = " \t\r\n\u3000([{<\"'*_~|>:/-`（「『【《〈“‘、。，：・";
// Faces and what closes or opens a bracket: ^^ and ´▽｀ are no words.
const afterOpening = ";)]},.^´｀ﾟﾞ°≧≦";
const beforeClosing = ";([{^´｀ﾟﾞ°≧≦";

const isIn = (signs, c) => c !== undefined && signs.includes(c);

function opens(line, at, sign, end) {
  const before = line[at - 1];
  if (end >= line.length || isIn(blanks, line[end]) || before === "\\") return false;
  if (sign[0] === "`") return true;
  if (sign === "**") return !(/[0-9A-Za-z]/.test(before ?? "") && /[0-9]/.test(line[end])); // 2**3
  return (before === undefined || isIn(beforeWords, before)) && !isIn(afterOpening, line[end]);
}

function closes(line, at, sign) {
  const before = line[at - 1];
  if (isIn(blanks, before) || before === "\\") return false;
  return sign[0] === "`" || sign === "**" || !isIn(beforeClosing, before);
}

// Code first: nothing in it is a mark, nor the partner of one before it.
function pairLine(line, offset, pairs) {
  const runs = [...line.matchAll(/\*+|~+|`+/g)].map(({ 0: sign, index }) => ({ sign, at: index, end: index + sign.length }));
  pairRuns(line, runs.filter(({ sign }) => sign[0] === "`"), offset, pairs);
  const code = runs.filter(({ at }) => pairs.get(offset + at)?.opens).map(({ at }) => [at, pairs.get(offset + at).partner - offset]);
  let first = 0;
  pairRuns(line, runs.filter(({ sign, at }) => {
    while (first < code.length && code[first][1] < at) ++first;
    return sign[0] !== "`" && !(first < code.length && code[first][0] < at);
  }), offset, pairs);
}

function pairRuns(line, runs, offset, pairs) {
  const next = new Map(); // for each sign the first run that may close one, from which on none before it is left
  for (let i = 0; i < runs.length; ++i) {
    const { sign, at, end } = runs[i];
    if (pairs.has(offset + at) || !known.has(sign) || i < (next.get(sign) ?? 0) || !opens(line, at, sign, end)) continue;
    let partner = i + 1;
    while (partner < runs.length && (runs[partner].sign !== sign || !closes(line, runs[partner].at, sign))) ++partner;
    next.set(sign, partner + 1);
    if (partner === runs.length) continue;
    pairs.set(offset + at, { sign, opens: true, partner: offset + runs[partner].at });
    pairs.set(offset + runs[partner].at, { sign, opens: false, partner: offset + at });
    if (sign[0] === "`") i = partner;
  }
}

/** Map: where a mark begins -> {sign, opens, partner}. Costs no more than the length of the text. */
export function pairMarks(text) {
  const pairs = new Map();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at);
    pairLine(text.slice(at, end), at, pairs);
    at = end + 1;
  }
  return pairs;
}
