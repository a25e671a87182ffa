/** One figure that has to be reached. */
export interface Target {
  readonly what: string
  readonly value: number
  readonly atLeast?: number
  readonly atMost?: number
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

export function round(value: number, decimals = 2): number {
  return Number(value.toFixed(decimals))
}

export function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}

/** Rows of figures for people. */
export function table(rows: readonly Readonly<Record<string, string | number>>[]): void {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const lines = [keys, ...rows.map((row) => keys.map((key) => String(row[key] ?? '')))]
  const widths = keys.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  for (const line of lines) process.stdout.write(`${line.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  ')}\n`)
}

/** A line per target, then everything as one line of JSON. The program ends with 1 when one is missed. */
export function conclude(bench: string, targets: readonly Target[], figures: Readonly<Record<string, unknown>>): void {
  for (const target of targets) {
    const bound = target.atLeast === undefined ? `<= ${target.atMost}` : `>= ${target.atLeast}`
    process.stdout.write(`${isMet(target) ? 'PASS' : 'FAIL'}  ${target.what}: ${round(target.value, 3)} (${bound})\n`)
  }
  const judged = targets.map((target) => ({ ...target, value: round(target.value, 3), met: isMet(target) }))
  process.stdout.write(`${JSON.stringify({ bench, node: process.version, ...figures, targets: judged })}\n`)
  if (!targets.every(isMet)) process.exitCode = 1
}

function isMet({ value, atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Target): boolean {
  return value >= atLeast && value <= atMost
}

/** What is going on, for whoever waits; not part of the result. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
