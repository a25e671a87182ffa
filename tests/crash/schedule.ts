import type { Numbers } from './numbers.ts'

/** What happens, and when, ms after the beginning. */
export type Step = { readonly at: number } & (
  | { readonly act: 'kill'; readonly who: string; readonly downMs: number; readonly wipe: boolean }
  | { readonly act: 'cut'; readonly cable: Cable }
  | { readonly act: 'unplug'; readonly cable: Cable; readonly forMs: number }
  | { readonly act: 'save' }
)

export type Cable = 'bridge' | 'pis' | 'snowpipe'

export interface Weather {
  readonly kills: number
  readonly pis: readonly string[]
  /**
   * Whose disk may be gone after a kill. Never both: without ledger and spool it is at-least-once, as the documentation says.
   */
  readonly loses: 'broker' | 'spool' | 'none'
}

/** Kills at random moments, some of two at once; cables cut and unplugged in between. */
export function scheduleOf(numbers: Numbers, { kills, pis, loses }: Weather): Step[] {
  const steps: Step[] = []
  let at = 1_500
  const kill = () => {
    // With its spool gone a bridge has nothing but the broker's ledgers, and a broker that crashes falls back to older ones.
    const who = numbers.pick({ bridge: 45, pi: 25, emulator: 15, broker: loses === 'spool' ? 0 : 20, all: 7 })
    const one = who === 'pi' ? (pis[Math.floor(numbers.next() * pis.length)] as string) : who
    const wipe = (one === 'bridge' && loses === 'spool') || (one === 'broker' && loses === 'broker')
    // A power cut of the whole house.
    const victims = one === 'all' ? ['bridge', ...pis, 'emulator', ...(loses === 'spool' ? [] : ['broker'])] : [one]
    for (const victim of victims)
      steps.push({ at, act: 'kill', who: victim, downMs: numbers.between(0, 2_000), wipe: wipe && numbers.chance(0.5) })
    return one
  }
  for (let done = 0; done < kills; done++) {
    kill()
    if (done + 1 < kills && numbers.chance(0.2)) {
      // Two at once, or one that is only just coming back.
      at += numbers.between(0, 50)
      kill()
      done++
    }
    at += Math.min(7_000, 600 - 2_500 * Math.log(1 - numbers.next()))
    if (!numbers.chance(0.4)) continue
    const cable = numbers.pick({ bridge: 1, pis: 1, snowpipe: 1 })
    const aside = at - numbers.between(0, 400)
    switch (numbers.pick({ cut: 2, unplug: 2, save: 3 })) {
      case 'cut':
        steps.push({ at: aside, act: 'cut', cable })
        break
      case 'unplug':
        steps.push({ at: aside, act: 'unplug', cable, forMs: numbers.between(300, 4_000) })
        break
      case 'save':
        steps.push({ at: aside, act: 'save' })
    }
  }
  // Whatever else: Pis that connect anew while readings of theirs are on the way.
  for (let i = 0; i < 3; i++) steps.push({ at: numbers.between(2_000, at), act: 'cut', cable: 'pis' })
  return steps.sort((a, b) => a.at - b.at)
}
