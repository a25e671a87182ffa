const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `250ms`, `20s`, `1.5m`, `1h`, `2d`, or a bare number of seconds, as milliseconds; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim())
  if (match === null) return undefined
  return Number(match[1]) * (UNIT_MS[match[2] ?? 's'] ?? 1_000)
}
