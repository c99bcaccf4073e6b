// SPDX-License-Identifier: Apache-2.0
// Elements made by name. Text becomes text nodes and nothing here reads markup, so what a conversation says stays text.

function set(node, name, value) {
  if (value == null || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "class") node.className = value;
  else node.setAttribute(name, value === true ? "" : value);
}

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

// What a reader sets and the page does not: it stays.
const ownedByReader = { DETAILS: ["open"], DIALOG: ["open"] };

function patchAttributes(old, fresh) {
  const owned = ownedByReader[old.nodeName] ?? [];
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !owned.includes(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && !owned.includes(name)) old.setAttribute(name, value);
}

// What is added to the end of a text leaves a selection in it as it is.
function patchText(old, { data }) {
  if (data.startsWith(old.data)) old.appendData(data.slice(old.length));
  else old.data = data;
}

/** Makes `old` like `fresh`, and keeps every node in it that is the same: with it focus, selection and what was unfolded.
    Buttons that differ are exchanged, since they act for what they were made for. */
export function patch(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.nodeName === "BUTTON") return old.replaceWith(fresh);
  if (old.nodeType === Node.TEXT_NODE) return patchText(old, fresh);
  patchAttributes(old, fresh);
  patchNodes(old, [...fresh.childNodes]);
}

function patchNodes(node, wanted) {
  while (node.childNodes.length > wanted.length) node.lastChild.remove();
  wanted.forEach((fresh, i) => (node.childNodes[i] ? patch(node.childNodes[i], fresh) : node.append(fresh)));
}

/** The focus goes to a neighbour: else it falls to the page. */
export function removeItem(item) {
  const next = item?.contains(document.activeElement) ? (item.nextSibling ?? item.previousSibling) : null;
  item?.remove();
  next?.firstChild.focus({ preventScroll: true });
}

/** Makes these the items of a list, in this order. Never moves the one with the focus, which it would lose: the others are
    moved around it. */
export function arrange(list, wanted) {
  const staying = new Set(wanted);
  for (const item of [...list.children]) if (!staying.has(item)) removeItem(item);
  const held = wanted.find((item) => item.contains(document.activeElement));
  let next = null;
  for (const item of [...wanted].reverse()) {
    if (item !== held && (item.nextSibling !== next || !item.isConnected)) list.insertBefore(item, next);
    next = item;
  }
}

/** As fill(), but for the nodes that are there already. */
export function refill(node, ...children) {
  patchNodes(node, [...fill(node.cloneNode(false), ...children).childNodes]);
  return node;
}

/** What `draw` makes; where that fails (what was sent is stranger than anything foreseen), what `instead` makes: the rows
    beside it are drawn all the same. */
export function drawn(draw, instead) {
  try {
    return draw();
  } catch (error) {
    console.error(error);
    return instead();
  }
}

/** el("a", {href, class, onclick}, child, "text", [more]) */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  return children.length > 0 ? fill(node, ...children) : node;
}

const svg = "http://www.w3.org/2000/svg";
const shapes = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  down: "M12 4v15M6 13l6 6 6-6",
  chart: "M4 20V4M4 20h17M8 17v-5M12 17V8M16 17v-7M20 17v-3",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  export: "M12 4v11M7 10l5 5 5-5M5 20h14",
  filter: "M12 5v14M5 12h14",
  globe: "M12 3a9 9 0 100 18 9 9 0 000-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  help: "M12 3a9 9 0 100 18 9 9 0 000-18zM9.5 9.5a2.5 2.5 0 115 0c0 1.7-2.5 2-2.5 4M12 17v.1",
  leave: "M14 4H6v16h8M10 12h11M17 8l4 4-4 4",
  link: "M10 14a4 4 0 006 0l4-4a4 4 0 00-6-6l-1 1M14 10a4 4 0 00-6 0l-4 4a4 4 0 006 6l1-1",
  moon: "M20 14.5A8.5 8.5 0 119.5 4a7 7 0 0010.5 10.5z",
  pencil: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  search: "M11 4a7 7 0 100 14 7 7 0 000-14zM16 16l5 5",
  spark: "M5 12h4l2-6 3 12 2-6h3",
  sun: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  auto: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 3v18M15 6v12M18 9v6",
  switch: "M4 8h15M15 4l4 4-4 4M20 16H5M9 12l-4 4 4 4",
  up: "M7 11v9H4v-9zM7 11l4-8c2 0 3 1 2.5 3L13 9h5.5c1.5 0 2 1 1.7 2.3l-1.7 7c-.3 1.2-1 1.7-2 1.7H7",
  wait: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 7v5l3 2",
};

/** A line drawing; says nothing to screen readers, so what holds it needs a name. */
export function icon(name) {
  const node = document.createElementNS(svg, "svg");
  const path = document.createElementNS(svg, "path");
  node.setAttribute("viewBox", "0 0 24 24");
  node.setAttribute("class", `icon icon-${name}`);
  node.setAttribute("aria-hidden", "true");
  path.setAttribute("d", shapes[name === "thumbdown" ? "up" : name]);
  node.append(path);
  return node;
}

/** A button with a drawing for a face; `label` is its name. */
export function iconButton(name, label, onclick, attributes = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}
