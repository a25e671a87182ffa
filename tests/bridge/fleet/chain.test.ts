import { expect, it } from 'vitest'
import { chainOf } from '../../../bridge/fleet/chain.ts'
import { ALERT_CODES } from '../../../bridge/status/alerts.ts'
import { FakeFleet } from '../../support/fake-fleet.ts'

const health = new FakeFleet(3).health()
const facts = { health, alerts: [], brokerSince: 1_000, brokerUrl: 'mqtts://bridge:secret@nas:8883/' }
const states = (chain: ReturnType<typeof chainOf>) => chain.stages.map(({ state }) => state)

it('all is well where nothing is wrong', () => {
  const chain = chainOf(facts)
  expect(chain.stages.map(({ name }) => name)).toEqual(['pis', 'broker', 'spool', 'snowflake'])
  expect(states(chain)).toEqual(['ok', 'ok', 'ok', 'ok'])
})

it('says where the broker is without the password', () => {
  expect(chainOf(facts).broker_url).toBe('mqtts://nas:8883')
  expect(JSON.stringify(chainOf(facts))).not.toContain('secret')
  const behindPath = { ...facts, brokerUrl: 'wss://bridge:secret@nas/mqtt?token=secret' }
  expect(chainOf(behindPath).broker_url).toBe('wss://nas/mqtt')
})

it.each(ALERT_CODES)('%s has its station, its sentence, and what to do', (code) => {
  const { stages } = chainOf({ ...facts, alerts: [{ code, message: 'so it is', since: 5_000 }] })
  const hit = stages.filter(({ state }) => state !== 'ok')
  expect(hit).toHaveLength(1)
  expect(hit[0]?.problems).toMatchObject([
    { code, message: 'so it is', since: 5_000, remedy: expect.stringMatching(/\w/) },
  ])
  expect(hit[0]?.state).toBe(hit[0]?.problems[0]?.severity)
})

it('a broker that is away is trouble since it went, a Snowflake since it answered last', () => {
  const away = {
    ...health,
    mqtt_connected: false,
    snowflake: { reachable: false, answered_at: '1970-01-01T00:00:02.000Z', clock_skew_seconds: 0 },
  }
  const { stages } = chainOf({ ...facts, health: away })
  expect(stages[1]).toMatchObject({ state: 'bad', problems: [{ code: 'broker_away', since: 1_000 }] })
  expect(stages[3]).toMatchObject({ state: 'bad', problems: [{ code: 'snowflake_away', since: 2_000 }] })
})

it('what nobody has asked is not known, and no devices are no fault', () => {
  const idle = { ...health, devices: 0, snowflake: { reachable: null, answered_at: null, clock_skew_seconds: 0 } }
  expect(states(chainOf({ ...facts, health: idle }))).toEqual(['unknown', 'ok', 'ok', 'unknown'])
})
