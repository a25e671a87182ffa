import { afterEach, expect, it, vi } from 'vitest'

const STEP_MS = 30_000
const HOUR = 120 * STEP_MS
const START = 1_792_000_020_000

interface Sparklines {
  want(hostnames: readonly string[]): Promise<void>
  take(tile: { readonly hostname: string; readonly temperature: number; readonly measured_at: number }): void
  path(hostname: string, now: number): string
}

/** Of a device that has been measured in every step of the last hour. */
async function sparklines(): Promise<Sparklines> {
  const from = START - HOUR + STEP_MS
  const temperature = Array.from({ length: 120 }, (_, i) => 20 + i / 100)
  const answer = { pi: { from, step_ms: STEP_MS, fields: { temperature } } }
  vi.stubGlobal('fetch', async () => ({ json: async () => answer }))
  const script = new URL('../../../bridge/page/sparklines.js', import.meta.url)
  const { Sparklines } = (await import(script.href)) as { Sparklines: new (onCame: () => void) => Sparklines }
  const made = new Sparklines(() => undefined)
  await made.want(['pi'])
  return made
}

afterEach(() => {
  vi.unstubAllGlobals()
})

const points = (path: string) => path.match(/[ML]/g)?.length ?? 0

it('is the last hour, also of a device that has fallen silent', async () => {
  const lines = await sparklines()
  expect(points(lines.path('pi', START))).toBe(120)
  expect(points(lines.path('pi', START + HOUR / 2))).toBe(60)
  expect(lines.path('pi', START + 3 * HOUR)).toBe('')
})

it('goes on with what the stream tells, after a gap', async () => {
  const lines = await sparklines()
  lines.take({ hostname: 'pi', temperature: 25, measured_at: START + 10 * STEP_MS })
  const path = lines.path('pi', START + 10 * STEP_MS)
  expect(points(path)).toBe(111)
  expect(path.match(/M/g)).toHaveLength(2)
  lines.take({ hostname: 'pi', temperature: 25, measured_at: START + 9 * STEP_MS })
  expect(points(lines.path('pi', START + 10 * STEP_MS))).toBe(112)
})

it('is a strip of what the owner of a phone did, a block for each run of one activity, and no line', async () => {
  const from = START - HOUR + STEP_MS
  const activity = Array.from({ length: 120 }, (_, i) => (i < 60 ? 'walking' : i < 90 ? 'cycling' : null))
  vi.stubGlobal('fetch', async () => ({
    json: async () => ({ phone: { from, step_ms: STEP_MS, fields: {}, activity } }),
  }))
  const script = new URL('../../../bridge/page/sparklines.js', import.meta.url)
  const { Sparklines } = (await import(script.href)) as { Sparklines: new (onCame: () => void) => Phones }
  const strips = new Sparklines(() => undefined)
  await strips.want(['phone'])
  expect(strips.path('phone', START)).toBe('')
  expect(Object.fromEntries(strips.strip('phone', START) ?? [])).toEqual({
    walking: 'M0.0 0h60.0v28h-60.0z',
    unknown: 'M60.0 0h30.0v28h-30.0z',
  })
  strips.take({ hostname: 'phone', temperature: null, activity: 'running', measured_at: START + STEP_MS })
  expect(strips.strip('phone', START + STEP_MS)?.get('running')).toBe('M119.0 0h1.0v28h-1.0z')
  expect(strips.strip('phone', START + 3 * HOUR)?.size).toBe(0)
})

interface Phones extends Pick<Sparklines, 'want' | 'path'> {
  take(tile: { hostname: string; temperature: null; activity: string; measured_at: number }): void
  strip(hostname: string, now: number): Map<string, string> | undefined
}
