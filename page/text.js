// SPDX-License-Identifier: Apache-2.0
// Text that people wrote, in any script and direction, as elements that a browser sets right: the language by its
// script (fonts and line breaks follow from it), the direction by its first letter, kept from its surroundings. Pure but
// for `said`.
import { el } from "./dom.js";

const kana = /[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d]/;
const hangul = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]/;
const han = /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/;

/** "ja", "ko", "zh" or "en"; none where the letters do not tell. Looks at the first 2,000 characters. */
export function languageOf(text, fallback = "") {
  const sample = text.slice(0, 2000);
  if (hangul.test(sample)) return "ko";
  if (kana.test(sample)) return "ja";
  if (han.test(sample)) return fallback === "zh" ? "zh" : "ja";
  return /[A-Za-z]/.test(sample) ? "en" : "";
}

// Characters that turn the order of their line, and what is invisible but for them: shown, not obeyed, outside messages.
const turning = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

/** A character or two halves of one: no address takes a half alone. */
export const wholeCharacters = (text) => text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");

/** As it was before it became a part of an address; as it is where it never was. */
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** What a table of ours says of a name that was sent; nothing where it is no name, or one that every object has. */
export const entryOf = (table, name) => (typeof name === "string" && Object.hasOwn(table, name) ? table[name] : undefined);

/** For names, titles and other single lines: without the characters that turn the line around. */
export function plainLine(text) {
  const line = typeof text === "object" ? "" : String(text ?? "");
  return line.replace(turning, "").replace(/[\s\u0000-\u001f\u007f]+/g, " ").trim();
}

/** The attributes of an element that holds such text. */
export function speech(text) {
  return { lang: languageOf(text) || null, dir: "auto" };
}

export function said(tag, attributes, text) {
  return el(tag, { ...speech(text), ...attributes }, text);
}
