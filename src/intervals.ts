/** A closed range of whole numbers: first and last member. */
export type Interval = readonly [first: number, last: number]

/**
 * A set of whole numbers kept as sorted, disjoint, non-touching closed intervals. Sequence numbers
 * arrive almost in order, so the common case is growing the last interval.
 */
export class IntervalSet {
  #intervals: [number, number][]

  /** Takes intervals in any order, overlapping or not. */
  constructor(intervals: Iterable<Interval> = []) {
    this.#intervals = []
    for (const [first, last] of intervals) this.add(first, last)
  }

  get isEmpty(): boolean {
    return this.#intervals.length === 0
  }

  /** The largest member. */
  get max(): number | undefined {
    return this.#intervals.at(-1)?.[1]
  }

  /** Of how many intervals it consists. */
  get parts(): number {
    return this.#intervals.length
  }

  /** How many members there are. */
  get size(): number {
    return this.#intervals.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  }

  has(n: number): boolean {
    const at = this.#firstEndingAtOrAfter(n)
    const interval = this.#intervals[at]
    return interval !== undefined && interval[0] <= n
  }

  add(first: number, last: number = first): void {
    const from = this.#firstEndingAtOrAfter(first - 1)
    let to = from
    let low = first
    let high = last
    for (let interval = this.#intervals[to]; interval && interval[0] <= last + 1; interval = this.#intervals[++to]) {
      low = Math.min(low, interval[0])
      high = Math.max(high, interval[1])
    }
    this.#intervals.splice(from, to - from, [low, high])
  }

  addAll(other: IntervalSet): void {
    for (const [first, last] of other.#intervals) this.add(first, last)
  }

  /** The numbers from `first` to `last` that are not members. */
  holes(first: number, last: number): Interval[] {
    const holes: [number, number][] = []
    let next = first
    for (const [low, high] of this.#intervals) {
      if (high < next) continue
      if (low > last) break
      if (low > next) holes.push([next, low - 1])
      next = high + 1
    }
    if (next <= last) holes.push([next, last])
    return holes
  }

  clone(): IntervalSet {
    const copy = new IntervalSet()
    copy.#intervals = this.#intervals.map(([first, last]) => [first, last])
    return copy
  }

  toJSON(): Interval[] {
    return this.#intervals.map(([first, last]) => [first, last])
  }

  /** Index of the first interval whose end is `n` or later; the list's length when there is none. */
  #firstEndingAtOrAfter(n: number): number {
    let low = 0
    let high = this.#intervals.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#intervals[middle]?.[1] ?? Number.POSITIVE_INFINITY) < n) low = middle + 1
      else high = middle
    }
    return low
  }
}
