import { chance } from '../../emulator/faults/chance.ts'

/** What goes wrong in a soak. The first four are the emulator's, and pass by themselves. */
export const TROUBLES = ['throttle', 'server-error', 'lose-answer', 'delay', 'broker-restart', 'bridge-kill'] as const
export type Trouble = (typeof TROUBLES)[number]

export interface Planned {
  readonly trouble: Trouble
  /** Milliseconds since the start of the run. */
  readonly at: number
  /** How long, milliseconds; the broker and the bridge are away for as long as they take to start. */
  readonly for: number
}

/** As the emulator takes it; while it lasts, and not for every request, so that things get through and get mixed up. */
const FAULTS = {
  throttle: { action: 'throttle', retryAfter: 1, probability: 0.7 },
  'server-error': { action: 'server-error', status: 503, probability: 0.7 },
  'lose-answer': { action: 'lose-answer', probability: 0.5 },
  delay: { action: 'delay', ms: [200, 3_000] },
} as const satisfies Partial<Record<Trouble, object>>

const SHORTEST_MS = 4_000
const LONGEST_MS = 12_000

export function faultOf({ trouble, for: ms }: Planned): Readonly<Record<string, unknown>> | undefined {
  if (trouble === 'broker-restart' || trouble === 'bridge-kill') return undefined
  return { operation: 'append', for: `${Math.round(ms)}ms`, ...FAULTS[trouble] }
}

/**
 * The whole run, the same for the same seed: one trouble about every `every` milliseconds, each kind once before any comes
 * again. The bridge dies at most once in a third of the run: a slope of its memory needs lives that are long.
 */
export function plan(seed: number, run: number, every: number): readonly Planned[] {
  const random = chance(seed, 'soak')
  const between = (least: number, most: number) => least + (most - least) * random()
  const planned: Planned[] = []
  let bag: Trouble[] = []
  let killed = Number.NEGATIVE_INFINITY
  let at = between(0.5, 1) * every
  // The last one is to be over before the end.
  while (at + LONGEST_MS + every / 2 < run) {
    const mayKill = at - killed >= run / 3
    bag = bag.filter((trouble) => trouble !== 'bridge-kill' || mayKill)
    if (bag.length === 0) bag = TROUBLES.filter((trouble) => trouble !== 'bridge-kill' || mayKill)
    const trouble = bag.splice(Math.floor(random() * bag.length), 1)[0] as Trouble
    const ms = between(SHORTEST_MS, LONGEST_MS)
    if (trouble === 'bridge-kill') killed = at
    planned.push({ trouble, at, for: ms })
    at += Math.max(ms + 2_000, between(0.7, 1.3) * every)
  }
  return planned
}
