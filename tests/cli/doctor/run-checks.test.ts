import { describe, expect, it } from 'vitest'
import { CHECK_LIMIT_MS, type Check, runChecks } from '../../../cli/doctor/check.ts'
import { Examination } from '../../../cli/doctor/examination.ts'
import { ok } from '../../../cli/doctor/finding.ts'
import type { Side } from '../../../cli/doctor/sides.ts'
import { allSections } from '../../../cli/sections.ts'
import { loadSettings } from '../../../src/config.ts'
import { SnowhatError } from '../../../src/errors.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'

async function examination(clock = new ManualClock(), stop = new AbortController().signal) {
  return new Examination({
    settings: await loadSettings(allSections, { env: {}, args: new Map() }),
    problems: [],
    configFile: undefined,
    sides: new Set<Side>(['bridge']),
    canary: true,
    clock,
    log: silentLog(),
    random: () => 0.5,
    stop,
  })
}

const address = { host: 'nas', port: 1883, ip: '10.0.0.2', isTls: false }
const good: Check = { id: 'machine.versions', run: async () => [ok('machine.versions', 'fine')] }

describe('checks', () => {
  it('all come to an end, whatever one of them throws', async () => {
    const failing: Check = {
      id: 'broker.tls',
      run: async () => {
        throw new SnowhatError('E_MQTT_TLS', 'the certificate is gone', { hint: 'make another' })
      },
    }
    const ends = await Promise.all(runChecks([failing, good], await examination()))
    expect(ends).toEqual([
      [{ id: 'broker.tls', status: 'broken', what: 'the certificate is gone', fix: 'make another' }],
      [{ id: 'machine.versions', status: 'ok', what: 'fine' }],
    ])
  })

  it('begin when what they need is found out, and are skipped with a reason when it is not', async () => {
    const finds: Check = {
      id: 'broker.address',
      gives: ['address'],
      run: async (looked) => {
        looked.give('address', address)
        return []
      },
    }
    const needs: Check = {
      id: 'broker.tls',
      needs: ['address'],
      run: async (looked) => [ok('broker.tls', looked.take('address').host)],
    }
    const [, found] = await Promise.all(runChecks([finds, needs], await examination()))
    expect(found).toMatchObject([{ what: 'nas' }])
    const [missing] = await Promise.all(runChecks([needs], await examination()))
    expect(missing).toMatchObject([{ status: 'skipped', why: 'the broker cannot be reached' }])
  })

  it('of the other kind of machine are skipped', async () => {
    const [end] = await Promise.all(runChecks([{ ...good, side: 'pi' }], await examination()))
    expect(end).toMatchObject([{ status: 'skipped', why: 'this is no Pi of the fleet' }])
  })

  it('that hang are told to end at ten seconds, and are left alone when they do not', async () => {
    const clock = new ManualClock()
    let told = false
    const hanging: Check = {
      id: 'broker.address',
      run: (_looked, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            told = true
          })
        }),
    }
    const [end] = runChecks([hanging], await examination(clock))
    await clock.advance(CHECK_LIMIT_MS - 1)
    expect(told).toBe(false)
    await clock.advance(1)
    expect(told).toBe(true)
    await clock.advance(CHECK_LIMIT_MS)
    expect(await end).toMatchObject([{ id: 'broker.address', status: 'broken', what: 'no answer within 10 s' }])
  })

  it('that hang when somebody stops the doctor are not findings of anything', async () => {
    const clock = new ManualClock()
    const stop = new AbortController()
    const hanging: Check = {
      id: 'broker.address',
      run: (_looked, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }
    const ends = runChecks([hanging, { ...good, needs: ['address'] }], await examination(clock, stop.signal))
    await clock.advance(0)
    stop.abort()
    expect(await Promise.all(ends)).toMatchObject([[{ status: 'skipped', why: 'stopped' }], [{ status: 'skipped' }]])
  })
})
