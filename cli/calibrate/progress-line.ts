import type { Output } from '../command.ts'

/** How something goes, in one line. */
export interface ProgressLine {
  show(line: string): void
  /** What is printed next begins a new line. */
  end(): void
}

const PLAIN_EVERY_MS = 5_000

/** On a terminal the line is written over and over; elsewhere one every five seconds. `now`: monotonic ms. */
export function progressLine(output: Output, now: () => number): ProgressLine {
  if (output.isTTY !== true) {
    let last = Number.NEGATIVE_INFINITY
    return {
      show: (line) => {
        if (now() - last < PLAIN_EVERY_MS) return
        last = now()
        output.write(`${line}\n`)
      },
      end: () => undefined,
    }
  }
  let shown = false
  return {
    show: (line) => {
      shown = true
      // A line that is wider than the window would become two, and the second one stay. Some terminals say 0.
      output.write(`\r${line.slice(0, (output.columns || 80) - 1)}\x1b[K`)
    },
    end: () => {
      if (shown) output.write('\n')
      shown = false
    },
  }
}
