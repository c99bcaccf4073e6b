// SPDX-License-Identifier: Apache-2.0
// The page's own words, in the reader's language: what the browser prefers, until another was chosen here.
import en from "./en.js";
import ja from "./ja.js";
import ko from "./ko.js";
import { loadPreference, savePreference } from "./preferences.js";

export const languages = { en: "English", ko: "한국어", ja: "日本語" };
const words = { en, ko, ja };

/** The first of `preferred` that there are words for. */
export function chooseLanguage(preferred) {
  return preferred.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => Object.hasOwn(words, tag)) ?? "en";
}

const chosen = loadPreference("language");
let current = Object.hasOwn(words, chosen) ? chosen : chooseLanguage(globalThis.navigator?.languages ?? []);
export const language = () => current;

export function useLanguage(tag) {
  current = tag;
  savePreference("language", tag);
}

function wordsFor(key, values) {
  const found = words[current][key] ?? en[key];
  if (found === undefined) throw new Error(`no words for ${key}`);
  if (typeof found === "string") return found;
  return found[new Intl.PluralRules(current).select(values.count)] ?? found.other;
}

/** t("found", {count: 3}): numbers are written the way of the language. */
export function t(key, values = {}) {
  return wordsFor(key, values).replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value ?? whole);
  });
}

export function number(value, options) {
  return new Intl.NumberFormat(current, options).format(value);
}

export function bytes(value) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return number(value / 1000 ** power, { style: "unit", unit: units[power], maximumFractionDigits: power > 1 ? 1 : 0 });
}
