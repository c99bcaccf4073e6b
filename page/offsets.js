// SPDX-License-Identifier: Apache-2.0
// Offsets of many rows, whose heights are estimated until they are measured: a Fenwick tree, so that a list of 10,000 rows
// costs only the rows on the screen. Pure.

export class OffsetTree {
  constructor(count, guess) {
    this.guess = guess;
    this.resize(count);
  }

  resize(count) {
    const known = this.values ?? [];
    this.values = Array.from({ length: count }, (_, i) => known[i] ?? this.guess);
    this.tree = new Float64Array(count + 1);
    for (let i = 1; i <= count; ++i) {
      this.tree[i] += this.values[i - 1];
      const parent = i + (i & -i);
      if (parent <= count) this.tree[parent] += this.tree[i];
    }
  }

  get count() {
    return this.values.length;
  }

  set(index, height) {
    const difference = height - this.values[index];
    if (difference === 0) return;
    this.values[index] = height;
    for (let i = index + 1; i <= this.count; i += i & -i) this.tree[i] += difference;
  }

  /** The height of all rows before `index`. */
  above(index) {
    let sum = 0;
    for (let i = Math.min(index, this.count); i > 0; i -= i & -i) sum += this.tree[i];
    return sum;
  }

  /** The row at a distance from the top. */
  at(distance) {
    let index = 0;
    for (let step = 2 ** Math.floor(Math.log2(Math.max(1, this.count))); step >= 1; step /= 2)
      if (index + step <= this.count && this.tree[index + step] <= distance) {
        index += step;
        distance -= this.tree[index];
      }
    return Math.max(0, Math.min(index, this.count - 1));
  }
}
