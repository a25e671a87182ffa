import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../../emulator/faults/fault.ts'
import { Rule } from '../../../emulator/faults/rule.ts'
import { emulated } from '../harness.ts'

function ruleOf(fault: object): Rule {
  return new Rule(Fault.parse({ operation: 'append', action: 'no-route', ...fault }), 0)
}

describe('a fault strikes', () => {
  it.each([
    ['pi-1', ['pi-1', 'PI-1'], ['pi-10', 'pi-2', 'xpi-1']],
    ['pi-*', ['pi-1', 'pi-', 'pi-a.b'], ['pi', 'nas']],
    ['pi-?', ['pi-1'], ['pi-', 'pi-10']],
    ['*', ['anything', 'a.b'], []],
    ['a.b', ['a.b'], ['axb']],
    ['a+(b)', ['a+(b)'], ['aab']],
  ])('the channels of %s', (channel, concerned, others) => {
    const rule = ruleOf({ channel })
    expect(concerned.filter((name) => !rule.strikes('append', [name], 0))).toEqual([])
    expect(others.filter((name) => rule.strikes('append', [name], 0))).toEqual([])
    expect(rule.hits).toBe(concerned.length)
  })

  it('in its time only', () => {
    const rule = ruleOf({ after: '5s', for: '2s' })
    const at = (now: number) => [rule.state(now), rule.strikes('append', ['a'], now)]
    expect(at(4999)).toEqual(['waiting', false])
    expect(at(5000)).toEqual(['in force', true])
    expect(at(6999)).toEqual(['in force', true])
    expect(at(7000)).toEqual(['over', false])
  })

  it('so many times, by chance or not', () => {
    for (const probability of [1, 0.4]) {
      const rule = ruleOf({ count: 3, probability, seed: 1 })
      const hits = Array.from({ length: 100 }, () => rule.strikes('append', ['a'], 0)).filter(Boolean)
      expect([hits.length, rule.hits, rule.state(0)]).toEqual([3, 3, 'over'])
    }
  })

  it('about as often as its chance says', () => {
    for (const probability of [0.05, 0.5, 0.9]) {
      const rule = ruleOf({ probability, seed: 11 })
      for (let i = 0; i < 5000; i += 1) rule.strikes('append', ['a'], 0)
      expect(Math.abs(rule.hits / 5000 - probability)).toBeLessThan(0.03)
    }
  })

  it('the same requests of a channel for the same seed, whatever the other channels do meanwhile', () => {
    const names = ['a', 'b', 'c']
    const calls = fc.array(fc.constantFrom(...names), { minLength: 30, maxLength: 120 })
    fc.assert(
      fc.property(
        fc.integer(),
        fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        calls,
        calls,
        (seed, probability, x, y) => {
          const hitsOf = (order: readonly string[]) => {
            const rule = ruleOf({ seed, probability })
            const hits: Record<string, boolean[]> = { a: [], b: [], c: [] }
            for (const name of order) hits[name]?.push(rule.strikes('append', [name], 0))
            return hits
          }
          const [first, second] = [hitsOf(x), hitsOf(y)]
          for (const name of names) {
            const both = Math.min(first[name]?.length ?? 0, second[name]?.length ?? 0)
            expect(first[name]?.slice(0, both)).toEqual(second[name]?.slice(0, both))
          }
        },
      ),
    )
  })
})

describe('what is in force', () => {
  it('is shown as it was written, with hits and standing of each', async () => {
    const { client, clock } = await emulated()
    const faults = [
      { operation: 'open', action: 'throttle', retryAfter: 2, count: 1 },
      { operation: 'commit', action: 'freeze', channel: 'b', for: '5s' },
      { action: 'expire-tokens', after: '1m' },
      { action: 'invalidate-channel', channel: 'nobody' },
    ]
    await client.disturb({ faults, dialect: { goodStatus: 'ACTIVE' }, limits: { bytesPerSecond: 20_000_000 } })
    expect((await client.open('a')).headers['retry-after']).toBe('2')
    await clock.advance(5000)
    const { json } = await client.call('GET', '/emulator/faults')
    expect(json.faults).toEqual(faults)
    expect(json.hits).toEqual([1, 0, 0, 0])
    expect(json.states).toEqual(['over', 'over', 'waiting', 'in force'])
    expect(json.dialect).toMatchObject({ goodStatus: 'ACTIVE', errorCounter: 'rows_error_count' })
    expect(json.limits).toEqual({
      requestsPerSecond: 0,
      bytesPerSecond: 20_000_000,
      channelsPerPipe: 2000,
      namesPerStatus: 0,
    })
  })

  it('ends with the next document: faults, dialect and limits', async () => {
    const { client } = await emulated()
    await client.disturb({
      faults: [{ operation: '*', action: 'no-route' }],
      dialect: { goodStatus: 'ACTIVE' },
      limits: { channelsPerPipe: 0 },
    })
    expect((await client.open('a')).status).toBe(404)
    expect((await client.call('POST', '/emulator/faults')).status).toBe(200)
    expect((await client.open('a')).json.channel_status.channel_status_code).toBe('SUCCESS')
  })
})
