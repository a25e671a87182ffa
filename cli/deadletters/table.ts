import type { Letter } from './letters.ts'

const LONGEST_REASON = 48
const LEAST_PAYLOAD = 20
const USUAL_PAYLOAD = 60
/** Of a payload, looked at to show its beginning. */
const LOOKED_AT = 400

const TITLES = ['no.', 'when (UTC)', 'device', 'code', 'bytes', 'reason', 'payload']
const TO_THE_RIGHT: ReadonlySet<string> = new Set(['no.', 'bytes'])

/** Letters as a table, oldest first; the payload takes what is left of a line of `columns` characters. */
export function letterTable(letters: readonly Letter[], columns: number | undefined): string[] {
  const rows = [TITLES, ...letters.map(cellsOf)]
  const widths = TITLES.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0)
  const room = columns === undefined ? USUAL_PAYLOAD : Math.max(LEAST_PAYLOAD, columns - before)
  return rows.map((row) =>
    row
      .map((text, i) => {
        if (i === row.length - 1) return clip(text, room)
        return TO_THE_RIGHT.has(TITLES[i] ?? '') ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)
      })
      .join('  ')
      .trimEnd(),
  )
}

/** Text that does nothing to a terminal: what others sent may hold anything. */
export function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\p{C}/gu, '·')
}

function cellsOf(letter: Letter): string[] {
  const { payload, cutFrom, replayedAt } = letter
  return [
    letter.number === undefined ? '' : String(letter.number),
    new Date(letter.at).toISOString().slice(0, 19).replace('T', ' '),
    printable(letter.device) || '-',
    `${letter.code}${replayedAt === undefined ? '' : ' (replayed)'}`,
    String(cutFrom ?? payload.length),
    clip(printable(letter.reason), LONGEST_REASON),
    printable(payload.toString('utf8', 0, LOOKED_AT)),
  ]
}

function clip(text: string, most: number): string {
  const letters = [...text]
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : text
}
