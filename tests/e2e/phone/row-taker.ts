import { isDeepStrictEqual } from 'node:util'
import { IntervalSet } from '../../../src/intervals.ts'
import { ledger } from '../../support/ledgers.ts'
import { connected, type TestLink } from '../../support/links.ts'

export type TakenRow = Readonly<Record<string, unknown>> & { readonly stream: string; readonly seq: number }

/** Stands for the bridge: takes rows, tells one from another by their identity alone, and commits them when it is told to. */
export interface RowTaker {
  /** Of one topic, each once, in the order of their numbers. */
  rows(topic: string): TakenRow[]
  /** Rows that came again and said something else. */
  readonly contradictions: string[]
  /** How many came again. */
  readonly again: number
  /** Lists all that came as committed. */
  commit(): Promise<void>
}

const ROUTES = new Map([
  ['readings', 'phone'],
  ['activity', 'activity'],
])

export async function takeRows(url: string): Promise<RowTaker> {
  const taken = new Map<string, Map<string, TakenRow>>()
  const contradictions: string[] = []
  let again = 0
  let id = 0
  const link: TestLink = await connected(url, '3.1.1', {
    onMessage: ({ topic, payload }) => {
      if (!/^phones\/[^/]+\/(readings|activity)$/.test(topic)) return
      const value = JSON.parse(payload.toString()) as TakenRow | TakenRow[]
      const known = taken.get(topic) ?? new Map<string, TakenRow>()
      taken.set(topic, known)
      for (const row of Array.isArray(value) ? value : [value]) {
        const name = `${row.stream}.${row.seq}`
        const before = known.get(name)
        if (before === undefined) known.set(name, row)
        else {
          again++
          if (!isDeepStrictEqual(withoutAfter(before), withoutAfter(row))) contradictions.push(`${topic} ${name}`)
        }
      }
    },
  })
  await link.subscribe(['phones/#'])
  await link.publish('sensehat/bridge/info', JSON.stringify({ instance: 'br01' }), { retain: true })
  await link.publish('sensehat/bridge/availability', 'online', { retain: true })
  const rows = (topic: string) => [...(taken.get(topic)?.values() ?? [])].sort((a, b) => a.seq - b.seq)
  return {
    rows,
    contradictions,
    get again() {
      return again
    },
    commit: async () => {
      for (const topic of taken.keys()) {
        const [, device = '', kind = ''] = topic.split('/')
        const streams: Record<string, { spooled: [number, number][]; committed: [number, number][] }> = {}
        for (const stream of new Set(rows(topic).map((row) => row.stream))) {
          const numbers = new IntervalSet(
            rows(topic)
              .filter((row) => row.stream === stream)
              .map(({ seq }) => [seq, seq]),
          )
          const all = numbers.toJSON().map(([first, last]): [number, number] => [first, last])
          streams[stream] = { spooled: all, committed: all }
        }
        const key = `${ROUTES.get(kind)}.${device}`
        const said = ledger({ id: ++id, instance: 'br01', incarnation: 1, streams })
        await link.publish(`sensehat/bridge/devices/${key}`, JSON.stringify(said), { retain: true })
      }
    },
  }
}

/** The `after` of a row is about its neighbours: it may come without it the second time. */
function withoutAfter({ after: _, ...row }: TakenRow): object {
  return row
}
