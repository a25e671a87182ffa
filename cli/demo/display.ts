import type { DestinationStream } from 'pino'
import { clockTime, type DemoView, frame, sums, thousands } from './screen.ts'

/** Where the demo shows how it goes. */
export interface Display {
  readonly log: DestinationStream
  show(view: DemoView): void
}

const KEPT_MESSAGES = 4

/** The part of `process.stderr` that is used. */
interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** A frame that redraws itself on a terminal, a line every few seconds elsewhere. */
export function openDisplay(output: Output): Display {
  return output.isTTY === true ? liveDisplay(output) : lineDisplay(output)
}

function liveDisplay(output: Output): Display {
  let height = 0
  let drawn = { columns: 0, rows: 0 }
  const messages: string[] = []
  const colour = process.env.NO_COLOR === undefined
  return {
    log: {
      write: (line) => {
        messages.push(plain(line))
        if (messages.length > KEPT_MESSAGES) messages.shift()
      },
    },
    show: (view) => {
      // Read anew each time: the window may have another size by now.
      const size = { columns: output.columns || 80, rows: output.rows || 24 }
      const lines = frame({ ...view, messages }, colour, size)
      const resized = size.columns !== drawn.columns || size.rows !== drawn.rows
      // Back to the first line of the last frame; each line wipes what was longer before it. In a window of another size
      // nobody knows where that line is now: everything anew.
      const back = height === 0 ? '' : resized ? '\x1b[H\x1b[2J' : `\x1b[${height}A`
      output.write(`${back}${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[0J`)
      height = lines.length
      drawn = size
    },
  }
}

const LINE_EVERY_S = 5

function lineDisplay(output: Output): Display {
  let last = Number.NEGATIVE_INFINITY
  return {
    log: { write: (line) => output.write(`${plain(line)}\n`) },
    show: (view) => {
      if (view.elapsedSeconds - last < LINE_EVERY_S) return
      last = view.elapsedSeconds
      const { published, inTable, onTheWay } = sums(view)
      output.write(
        `${clockTime(view.elapsedSeconds)}  ${view.pis.length} ${view.pis.length === 1 ? 'Pi' : 'Pis'}, ${thousands(published)} readings published: ${thousands(inTable)} in the table, ${thousands(onTheWay)} on the way\n`,
      )
    },
  }
}

/** A log line for people: its sentence, then what it is about. */
function plain(line: string): string {
  try {
    const { msg, device, code, reason } = JSON.parse(line) as Record<string, unknown>
    return [msg, device, code, reason].filter((part) => part !== undefined).join(' · ')
  } catch {
    return line.trim()
  }
}
