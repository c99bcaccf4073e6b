// SPDX-License-Identifier: Apache-2.0
// Very many rows of different heights, of which only those near the screen exist. What a reader looks at stays where it is
// when rows above it turn out higher or lower than guessed.
import { el } from "./dom.js";
import { OffsetTree } from "./offsets.js";

const guess = 96;
const beyond = 900; // pixels above and below the screen that are kept ready

/** draw(index) gives a row; need(from, to) fetches what is missing and tells by a promise whether there was anything.
    refresh(row, index) puts a row that is there right. */
export class Timeline {
  constructor({ count, draw, refresh, need, name }) {
    this.draw = draw;
    this.refreshRow = refresh;
    this.need = need;
    this.offsets = new OffsetTree(count, guess);
    this.rows = new Map(); // index -> element
    this.body = el("div", { class: "timeline-body" });
    this.node = el("div", { class: "timeline", role: "feed", "aria-label": name, tabindex: "0" }, this.body);
    this.node.addEventListener("scroll", () => this.soon(), { passive: true });
    this.sizes = new ResizeObserver((entries) => this.measure(entries));
    this.sizes.observe(this.node);
    this.anchor = { index: 0, offset: 0 };
    this.wanted = null;
  }

  soon() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.node.isConnected) this.layout();
    });
  }

  stop() {
    cancelAnimationFrame(this.waiting);
    this.sizes.disconnect();
  }

  resize(count) {
    if (count === this.offsets.count) return;
    for (const index of [...this.rows.keys()]) if (index >= count) this.drop(index);
    this.offsets.resize(count);
    this.layout();
  }

  /** Puts right what is on the screen; rows that did not change stay as they are. */
  refresh() {
    for (const [index, row] of [...this.rows]) {
      if (row.classList.contains("missing")) this.drop(index);
      else this.refreshRow(row, index);
    }
    this.layout();
  }

  drop(index) {
    const row = this.rows.get(index);
    if (!row) return;
    this.sizes.unobserve(row);
    row.remove();
    this.rows.delete(index);
  }

  measure(entries) {
    this.keepAnchor();
    for (const { target } of entries) {
      const index = Number(target.dataset.index);
      if (this.rows.get(index) === target) this.offsets.set(index, target.offsetHeight);
    }
    this.place();
    this.soon();
  }

  /** Which row is at the top of the screen, and how far it is scrolled. */
  keepAnchor() {
    if (this.holding) return;
    const top = this.node.scrollTop;
    const index = this.offsets.at(top);
    this.anchor = { index, offset: top - this.offsets.above(index) };
  }

  place() {
    this.body.style.height = `${this.offsets.above(this.offsets.count)}px`;
    for (const [index, row] of this.rows) row.style.transform = `translateY(${this.offsets.above(index)}px)`;
    const wanted = this.offsets.above(this.anchor.index) + this.anchor.offset;
    if (Math.abs(wanted - this.node.scrollTop) > 1) this.node.scrollTop = wanted;
  }

  layout() {
    if (this.offsets.count === 0) return;
    const top = this.node.scrollTop;
    const from = this.offsets.at(Math.max(0, top - beyond));
    const to = Math.min(this.offsets.count, this.offsets.at(top + this.node.clientHeight + beyond) + 1);
    for (const index of [...this.rows.keys()]) if ((index < from || index >= to) && !this.rows.get(index).contains(document.activeElement)) this.drop(index);
    for (let index = from; index < to; ++index) if (!this.rows.has(index)) this.add(index);
    this.keepAnchor();
    this.place();
    this.fetch(from, to);
  }

  add(index) {
    const row = this.draw(index);
    row.dataset.index = index;
    row.classList.add("timeline-row");
    this.rows.set(index, row);
    const next = [...this.body.children].find((other) => Number(other.dataset.index) > index);
    this.body.insertBefore(row, next ?? null); // in order, for the Tab key and for screen readers
    this.offsets.set(index, row.offsetHeight);
    this.sizes.observe(row);
  }

  async fetch(from, to) {
    if (await this.need(from, to)) this.refresh();
  }

  /** Brings a part of a row that is on the screen to where it is read. */
  reveal(part) {
    const row = part.closest(".timeline-row");
    if (!row) return;
    const within = part.getBoundingClientRect().top - row.getBoundingClientRect().top;
    this.show(Number(row.dataset.index), 0.25, within);
  }

  /** Brings a row to a part of the screen (0 top, 1 bottom) and keeps it there until its surroundings have their size. */
  show(index, part = 0.25, within = 0) {
    this.holding = true;
    const settle = (times) => {
      const free = Math.max(0, this.node.clientHeight - this.offsets.values[index]);
      const seen = within + free * part < this.node.clientHeight * 0.8;
      this.anchor = { index, offset: seen ? -free * part : within - this.node.clientHeight * part };
      this.place();
      this.layout();
      if (times > 0 && this.node.isConnected) requestAnimationFrame(() => settle(times - 1));
      else this.holding = false;
    };
    settle(6);
  }

  focus(index) {
    this.show(index, 0.25);
    this.rows.get(index)?.focus({ preventScroll: true });
  }

  isAtEnd() {
    return this.node.scrollTop + this.node.clientHeight > this.offsets.above(this.offsets.count) - 80;
  }
}
