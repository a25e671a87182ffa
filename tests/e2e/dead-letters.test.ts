import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { type Ended, run } from '../support/program.ts'
import { type Bench, reading, STREAM, startBench } from './bench.ts'

interface Line {
  readonly number: number
  readonly device: string
  readonly code: string
  readonly payload: string
}

async function start(): Promise<{ bench: Bench; deadletters: (...argv: string[]) => Promise<Ended> }> {
  const spool = join(temporaryDirectory(), 'spool')
  const bench = await startBench({ env: { SNOWHAT_SPOOL_DIR: spool } })
  return { bench, deadletters: (...argv) => run(['deadletters', ...argv], { env: bench.environment }) }
}

function linesOf({ stdout }: Ended): Line[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

/** Identities in the table, in order. */
async function uuids(bench: Bench, hostname: string): Promise<(string | null)[]> {
  const rows = await bench.ask(
    `select uuid from DEMO.DEMO.SENSEHAT_SENSOR_DATA where hostname = '${hostname}' order by uuid`,
  )
  return rows.map(([uuid]) => uuid ?? null)
}

const uuid = (hostname: string, seq: number) => `${hostname}-${STREAM}-${seq}`

it('bad readings are kept over a kill, listed, repaired, replayed, and are in the table once under their identity', async () => {
  const { bench, deadletters } = await start()
  try {
    // One of each kind, with good readings around them.
    await bench.publish('pi', reading('pi', 1))
    await bench.publish('pi', reading('pi', 2, { temperature: 'warm' }))
    await bench.publish('pi', reading('pi', 3, { hostname: 'pj' }))
    await bench.publish('pi', 'temperature=21')
    await bench.publish('pi', reading('pi', 4))
    const many = Array.from({ length: 450 }, (_, i) => JSON.parse(reading('pi-many', i + 1)) as object)
    await bench.publish('pi-many', JSON.stringify(many))
    await eventually('the good readings', async () => (await bench.seqs('pi')).length === 2)
    // Two rows that are refused together, then one of them alone; the other is taken.
    await bench.faults([
      { operation: 'append', channel: 'pi-refused', count: 2, action: 'answer', status: 413, body: 'too large' },
    ])
    await bench.publish('pi-refused', `[${reading('pi-refused', 1)},${reading('pi-refused', 2)}]`)
    await eventually('the taken row', async () => (await bench.seqs('pi-refused')).length === 1)
    const codes = ['wrong_type', 'other_host', 'not_json', 'too_many', 'refused_by_snowflake']
    const before = linesOf(await deadletters('list', '--json'))
    expect(before.map(({ code }) => code)).toEqual(codes)
    expect((await bench.counters('pi')).undeclared_gaps).toBe(0)

    bench.bridge.kill('SIGKILL')
    await bench.bridge.ended()
    const bridge = await bench.startBridge()
    expect(linesOf(await deadletters('list', '--json'))).toEqual(before)
    expect(await bench.health()).toMatchObject({
      dead_letters: 5,
      dead_letters_by_code: Object.fromEntries(codes.map((code) => [code, 1])),
      dead_letters_dropped: 0,
    })
    expect((await deadletters('list')).stdout).toContain('(5 dead letters)')

    const exported = linesOf(await deadletters('export'))
    const repaired = exported.map((letter) =>
      letter.code === 'wrong_type'
        ? { ...letter, payload: letter.payload.replace('"warm"', '20.5') }
        : letter.code === 'not_json'
          ? { ...letter, payload: { uuid: 'by-hand', temperature: 21 } }
          : letter,
    )
    const file = join(temporaryDirectory(), 'repaired.ndjson')
    writeFileSync(file, repaired.map((letter) => `${JSON.stringify(letter)}\n`).join(''))
    const first = await deadletters('replay', '--file', file)
    expect(first.stdout).toContain('replayed 5 dead letters: 454 readings')
    expect(first.code).toBe(0)
    expect(await deadletters('replay', '--file', file)).toMatchObject({ code: 0 })
    expect(await deadletters('replay', '--all')).toMatchObject({ code: 0, stdout: 'nothing to replay\n' })

    const expected = {
      pi: ['by-hand', ...[1, 2, 3, 4].map((seq) => uuid('pi', seq))],
      'pi-refused': [1, 2].map((seq) => uuid('pi-refused', seq)),
      'pi-many': many.map((_, i) => uuid('pi-many', i + 1)).sort(),
    }
    for (const [hostname, all] of Object.entries(expected)) {
      await eventually(`${all.length} of ${hostname}`, async () => (await uuids(bench, hostname)).length >= all.length)
      expect(await uuids(bench, hostname)).toEqual(all)
    }
    expect(await bench.ask('select * from DEMO.DEMO.SENSEHAT_DUPLICATES')).toEqual([])
    expect(await bench.ask('select * from DEMO.DEMO.SENSEHAT_GAPS')).toEqual([])
    expect((await bench.health()).dead_letters).toBe(5)
    bridge.kill('SIGTERM')
    expect(await bridge.ended()).toMatchObject({ code: 0 })
  } finally {
    await bench.close()
  }
})

it('a phone’s activity that was bad goes back to its own topic, and is in its own table once', async () => {
  const { bench, deadletters } = await start()
  try {
    const row = (seq: number, over: object) =>
      JSON.stringify({
        stream: STREAM,
        seq,
        activity: 'walking',
        confidence: 0.97,
        avg_magnitude: 3.2,
        window_end: '2026-11-22T12:00:00Z',
        sessionId: 'walk-1',
        ...over,
      })
    await bench.publishTo('phones/anna/activity', row(1, {}))
    await bench.publishTo('phones/anna/activity', row(2, { confidence: 'high' }))
    await eventually('the letter', async () => (await bench.deadLetters()) === 1)
    const [letter] = linesOf(await deadletters('export'))
    expect(letter).toMatchObject({ device: 'activity.anna', code: 'wrong_type' })
    const file = join(temporaryDirectory(), 'repaired.ndjson')
    writeFileSync(file, JSON.stringify({ ...letter, payload: letter?.payload.replace('"high"', '0.5') }))
    const ended = await deadletters('replay', '--file', file)
    expect([ended.stdout, ended.code]).toEqual([expect.stringContaining('replayed 1 dead letter: 1 reading'), 0])
    const rows = () => bench.ask('select uuid, confidence from ACTIVITY_DB.PROCESSED_DATA.USER_ACTIVITY_PROCESSED')
    await eventually('both rows', async () => (await rows()).length >= 2)
    expect((await rows()).map(([uuid, confidence]) => [uuid, Number(confidence)]).sort()).toEqual([
      [`activity.anna-${STREAM}-1`, 0.97],
      [`activity.anna-${STREAM}-2`, 0.5],
    ])
    expect(await bench.deadLetters()).toBe(1)
  } finally {
    await bench.close()
  }
})
