// SPDX-License-Identifier: Apache-2.0
// Going through the links of a list with the arrows, j and k.

/** Moves the focus by `step` among the links of `list`, beginning at the open one; true when there was one to go to. */
export function moveFocus(list, step) {
  const links = [...list.querySelectorAll("a.row")];
  const at = links.indexOf(document.activeElement?.closest?.("a.row"));
  const begin = at >= 0 ? at + step : links.findIndex((link) => link.getAttribute("aria-current")) + (step > 0 ? 1 : 0);
  const next = links[Math.max(0, Math.min(links.length - 1, begin))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return Boolean(next);
}
