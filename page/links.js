// SPDX-License-Identifier: Apache-2.0
// Which addresses in a conversation become links: http, https and mailto, nothing else. Pure but for `linkTo`.
import { el } from "./dom.js";
import { plainLine } from "./text.js";

/** The address as the browser will read it; none where it must not be a link. */
export function safeAddress(text) {
  let url;
  try {
    url = new URL(String(text).trim());
  } catch {
    return null;
  }
  if (url.protocol === "mailto:") return url.href;
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  return url.username || url.password ? null : url.href; // "https://bank.example@evil.example"
}

/** The address of a conversation in the service's own page, by the pattern of the settings ("https://.../{id}"). */
export function addressOf(pattern, id) {
  return pattern.replaceAll("{id}", () => encodeURIComponent(id));
}

/** A link with these children, or a span where the address is not safe. Its title says where it leads. */
export function linkTo(address, ...children) {
  const href = safeAddress(address);
  if (!href) return el("span", {}, ...children);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", title: plainLine(href).slice(0, 300) }, ...children);
}
