import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deadLettersIn } from '../../../bridge/dead-letters/open-dead-letters.ts'
import { openReplayed } from '../../../bridge/dead-letters/replayed.ts'
import { systemClock } from '../../../src/clock.ts'
import { silentLog } from '../../../src/log.ts'
import { type AedesBroker, aedesBroker } from '../../support/aedes-broker.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { connected } from '../../support/links.ts'
import { reading } from '../../support/readings.ts'
import { Place } from './support.ts'

/** A place beside a broker at which a bridge says that it is there. */
async function beside(
  word = 'online',
): Promise<{ place: Place; broker: AedesBroker; sent: () => [string, unknown][] }> {
  const broker = await aedesBroker()
  const bridge = await connected(broker.url, '3.1.1')
  if (word !== '') await bridge.publish('sensehat/bridge/availability', word, { retain: true })
  const place = new Place()
  place.env.SNOWHAT_MQTT_URL = broker.url
  place.env.SNOWHAT_MQTT_PROTOCOL = '3.1.1'
  const sent = () =>
    broker.published.all
      .filter(([topic]) => topic.endsWith('/readings'))
      .map(([topic, payload]): [string, unknown] => [topic, JSON.parse(payload)])
  return { place, broker, sent }
}

describe('snowhat deadletters replay', () => {
  it('sends what a reading is by now, once, and says what stays', async () => {
    const { place, sent } = await beside()
    await place.keep(reading(1), { code: 'refused_by_snowflake' })
    await place.keep(reading(2, { temperature: 'warm' }))
    await place.keep([reading(3), reading(4)], { code: 'too_many', device: 'pj', topic: 'sensehat/pj/readings' })
    const first = await place.run('replay', '--all')
    expect(first.code).toBe(1)
    expect(first.lines.slice(0, 2)).toEqual([
      '2 stays: temperature: Invalid input: expected number, received string',
      'replayed 2 dead letters: 3 readings; 1 cannot be replayed',
    ])
    const body = { ts: 1_790_000_000, temperature: 21.5 }
    const expected = [
      ['sensehat/pi/readings', { uuid: 'pi-aaaaaaaa-1', ...body }],
      [
        'sensehat/pj/readings',
        [
          { uuid: 'pi-aaaaaaaa-3', ...body },
          { uuid: 'pi-aaaaaaaa-4', ...body },
        ],
      ],
    ]
    expect(sent()).toEqual(expected)
    const second = await place.run('replay', '--all')
    expect(second.lines.at(-1)).toBe('nothing to replay; 1 cannot be replayed')
    expect(sent()).toEqual(expected)
    expect((await place.run('list')).lines.at(-1)).toBe('(1 dead letter; 2 more were replayed (--replayed shows them))')
    expect((await place.run('list', '--replayed')).out).toContain('too_many (replayed)')
    expect((await place.run('export')).lines).toHaveLength(1)
  })

  it('sends those with the numbers it is given, and no others', async () => {
    const { place, sent } = await beside()
    for (let seq = 1; seq <= 6; seq++) await place.keep(reading(seq))
    expect(await place.run('replay', '2', '4-5')).toMatchObject({ code: 0 })
    expect(sent()).toMatchObject([['sensehat/pi/readings', [2, 4, 5].map((n) => ({ uuid: `pi-aaaaaaaa-${n}` }))]])
    const again = await place.run('replay', '2', '99')
    expect(again.code).toBe(1)
    expect(again.lines[0]).toBe('99 is not there')
    expect(again.lines[1]).toMatch(/^2 was replayed at \d{4}-/)
    expect(sent()).toHaveLength(1)
  })

  it('takes repaired lines of an export, and notes the letters they were', async () => {
    const { place, sent } = await beside()
    await place.keep(reading(1, { temperature: 'warm' }), { position: { stream: 'aaaaaaaa', seq: 1 } })
    await place.keep('temp=22', { code: 'not_json' })
    const { lines } = await place.run('export')
    const repaired = lines.map((line) => {
      const letter = JSON.parse(line) as { number: number; payload: string }
      // One as text, one as the JSON it is to be.
      return letter.number === 1
        ? { ...letter, payload: letter.payload.replace('"warm"', '20') }
        : { ...letter, payload: { temperature: 22 } }
    })
    const file = join(temporaryDirectory(), 'repaired.ndjson')
    writeFileSync(file, repaired.map((line) => JSON.stringify(line)).join('\n'))
    const dry = await place.run('replay', '--file', file, '--dry-run')
    expect(dry).toMatchObject({ code: 0 })
    expect(dry.lines).toEqual([
      '1 would go to pi: 1 reading, pi-aaaaaaaa-1',
      '2 would go to pi: 1 reading',
      'would replay 2 dead letters',
    ])
    expect(sent()).toEqual([])
    expect(await place.run('replay', '--file', file)).toMatchObject({ code: 0 })
    const both = [{ uuid: 'pi-aaaaaaaa-1', ts: 1_790_000_000, temperature: 20 }, { temperature: 22 }]
    expect(sent()).toEqual([['sensehat/pi/readings', both]])
    expect((await place.run('replay', '--file', file)).lines.at(-1)).toBe('nothing to replay')
    expect((await place.run('replay', '--all')).out).toBe('nothing to replay\n')
    expect(sent()).toHaveLength(1)
  })

  it("takes a line of the bridge's log that holds a letter, also without a spool directory", async () => {
    const { place, sent } = await beside()
    place.env.SNOWHAT_SPOOL_DIR = ''
    const letter = { at: '2026-11-22T12:00:00.000Z', device: 'pi', topic: 't', code: 'wrong_type', reason: 'r' }
    const file = join(temporaryDirectory(), 'bridge.log')
    writeFileSync(file, JSON.stringify({ level: 50, letter: { ...letter, payload: '{"temperature":3}' }, msg: 'm' }))
    expect(await place.run('replay', '--file', file)).toMatchObject({ code: 0 })
    expect(sent()).toEqual([['sensehat/pi/readings', { temperature: 3 }]])
  })

  it.each(['', 'offline'])('sends nothing where the bridge says "%s": nobody would hear it', async (word) => {
    const { place, sent } = await beside(word)
    await place.keep(reading(1))
    const { code, err } = await place.run('replay', '--all')
    expect(code).toBe(1)
    expect(err).toContain('no bridge is online')
    expect(sent()).toEqual([])
    expect((await place.run('list')).out).toContain('(1 dead letter)')
  })

  it('does not start beside another replay', async () => {
    const { place, sent } = await beside()
    await place.keep(reading(1))
    const other = await openReplayed(deadLettersIn(place.dir), { clock: systemClock(), log: silentLog() })
    const { code, err } = await place.run('replay', '--all')
    expect(code).toBe(1)
    expect(err).toContain('another replay of these dead letters is running')
    expect(sent()).toEqual([])
    await other?.close()
    expect((await place.run('replay', '--all')).code).toBe(0)
  })

  it('sends two thousand in order and all, in few messages', async () => {
    const { place, sent } = await beside()
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => place.keep({ temperature: i })))
    expect((await place.run('replay', '--all')).lines[0]).toBe('replayed 2000 dead letters: 2000 readings')
    expect(temperatures(sent())).toEqual(Array.from({ length: 2_000 }, (_, i) => i))
    expect(sent()).toHaveLength(10)
  })

  it('that is cut off sends only the rest the next time', async () => {
    const { place, broker, sent } = await beside()
    const letters = 3_000
    await Promise.all(Array.from({ length: letters }, (_, i) => place.keep({ temperature: i })))
    const running = place.run('replay', '--all')
    await broker.published.until((all) => all.filter(([topic]) => topic.endsWith('/readings')).length >= 4)
    broker.cut()
    const first = await running
    expect(first.code).toBe(1)
    expect(first.out).toMatch(/not sent: .*Run it again/)
    const before = sent().length
    expect(before).toBeLessThan(15)
    expect((await place.run('replay', '--all')).code).toBe(0)
    expect(new Set(temperatures(sent())).size).toBe(letters)
    // Only the message that was under way when it was cut may come twice.
    expect(sent().length).toBeLessThanOrEqual(16)
  })
})

function temperatures(sent: readonly [string, unknown][]): number[] {
  return sent.flatMap(([, readings]) => readings as { temperature: number }[]).map(({ temperature }) => temperature)
}
