// SPDX-License-Identifier: Apache-2.0
// The character references of HTML that Markdown has kept: those by number, and the names that are written in chats. Pure.

const names = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", ensp: "\u2002", emsp: "\u2003", thinsp: "\u2009", shy: "\u00ad", zwj: "\u200d", zwnj: "\u200c",
  copy: "©", reg: "®", trade: "™", hellip: "…", mdash: "—", ndash: "–", middot: "·", bull: "•", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»",
  times: "×", divide: "÷", plusmn: "±", deg: "°", micro: "µ", para: "¶", sect: "§", frac12: "½", frac14: "¼", frac34: "¾", sup2: "²", sup3: "³", minus: "−", ne: "≠", le: "≤", ge: "≥",
  larr: "←", uarr: "↑", rarr: "→", darr: "↓", harr: "↔", euro: "€", pound: "£", yen: "¥", cent: "¢", won: "₩", infin: "∞", check: "✓", star: "☆", hearts: "♥",
};
const reference = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,9}));/y;

function byNumber(code) {
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : "\ufffd";
}

/** {text, length}; none where there is no reference that is known. */
export function entityAt(text, at) {
  reference.lastIndex = at;
  const found = reference.exec(text);
  if (!found) return null;
  const [whole, decimal, hex, name] = found;
  const said = name === undefined ? byNumber(parseInt(decimal ?? hex, decimal === undefined ? 16 : 10)) : Object.hasOwn(names, name) ? names[name] : null;
  return said === null ? null : { text: said, length: whole.length };
}
