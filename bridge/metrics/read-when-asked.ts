import { Counter, Gauge, type Registry } from 'prom-client'

/** One label's value, and the number. */
export type Sample = readonly [label: string, value: number]

/** Makes metrics of what is known anyway: read at each scrape, and at no other time. */
export interface ReadWhenAsked {
  /** `null`: not known, and then there is no sample. */
  gauge(name: string, help: string, value: () => number | null): void
  /** A sample for each value of `label` there is. */
  labelled(name: string, help: string, label: string, samples: () => Iterable<Sample>): void
  /** `value` is all there was, and not what was added. */
  counter(name: string, help: string, value: () => number): void
}

export function readWhenAsked(registry: Registry): ReadWhenAsked {
  const registers = [registry]
  return {
    gauge(name, help, value) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          const number = value()
          if (number === null) this.remove()
          else this.set(number)
        },
      })
    },
    labelled(name, help, label, samples) {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers,
        collect() {
          this.reset()
          for (const [value, number] of samples()) this.set({ [label]: value }, number)
        },
      })
    },
    counter(name, help, value) {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset()
          this.inc(value())
        },
      })
    },
  }
}
