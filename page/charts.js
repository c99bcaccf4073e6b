// SPDX-License-Identifier: Apache-2.0
// Bars by day. Each bar is a link with its day and number for a name; the arrows go from one to the next, so that a chart
// is one stop of the Tab key. Colours come from the theme, and no meaning from colour alone. Pure but for the elements.
import { el } from "./dom.js";
import { number, t } from "./i18n.js";

const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

function roam(node) {
  const links = [...node.querySelectorAll("a")];
  if (links.length > 0) links.at(-1).tabIndex = 0;
  node.addEventListener("keydown", (event) => {
    const at = links.indexOf(document.activeElement);
    if (!(event.key in steps) || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    links[Math.max(0, Math.min(links.length - 1, at + steps[event.key]))]?.focus();
  });
  return node;
}

const svg = "http://www.w3.org/2000/svg";

/** A bar of a share of the height; `low` hangs from the top. Drawn, as the page's policy allows no style in elements. */
function bar(value, most, kind, low = false) {
  const node = document.createElementNS(svg, "svg");
  const rect = document.createElementNS(svg, "rect");
  const height = (100 * value) / most;
  for (const [name, to] of Object.entries({ viewBox: "0 0 1 100", preserveAspectRatio: "none", class: `column column-${kind}`, "aria-hidden": "true" })) node.setAttribute(name, to);
  for (const [name, to] of Object.entries({ width: 1, height, y: low ? 0 : 100 - height })) rect.setAttribute(name, String(to));
  node.append(rect);
  return node;
}

function frame(label, className, most, bars) {
  return el("figure", { class: "chart" },
    el("figcaption", { class: "hint" }, label, el("span", {}, ` (${number(most)})`)),
    roam(el("div", { class: `bars ${className}`, role: "group", "aria-label": label }, ...bars)));
}

/** rows: one a day. */
export function barChart(rows, { label, valueOf, nameOf, link }) {
  const most = Math.max(1, ...rows.map(valueOf));
  const day = (row) => {
    const name = `${nameOf(row)}: ${number(valueOf(row))}`;
    return valueOf(row) > 0 ? el("a", { href: link(row), tabindex: "-1", "aria-label": name, title: name }, bar(valueOf(row), most, "all")) : el("span", { class: "no-bar" });
  };
  return frame(label, "bars-one", most, rows.map(day));
}

/** Good ratings above a line, bad ones below it. */
export function ratingChart(rows, { label, nameOf, link }) {
  const most = Math.max(1, ...rows.map(({ good, bad }) => Math.max(good, bad)));
  const day = (row) => {
    const name = `${nameOf(row)}: ${t("statGood")} ${number(row.good)}, ${t("statBad")} ${number(row.bad)}`;
    return row.good + row.bad > 0 ? el("a", { href: link(row), tabindex: "-1", "aria-label": name, title: name }, bar(row.good, most, "good"), bar(row.bad, most, "bad", true)) : el("span", { class: "no-bar" });
  };
  return frame(label, "bars-two", most, rows.map(day));
}
