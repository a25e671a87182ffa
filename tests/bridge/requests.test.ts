import { describe, expect, it } from 'vitest'
import { Requests } from '../../bridge/requests.ts'
import { silentLog } from '../../src/log.ts'
import { createTopics } from '../../src/topics.ts'
import { settled } from '../support/manual-clock.ts'

const topics = createTopics('sensehat', 'homeassistant')

function desk({ speaking = true, fails = false } = {}) {
  const said: [topic: string, answer: Record<string, unknown>][] = []
  const requests = new Requests({
    log: silentLog(),
    topics,
    publish: async (topic, payload) => {
      said.push([topic, JSON.parse(payload) as Record<string, unknown>])
    },
    speaking: () => speaking,
    answers: {
      about: () => ({ instance: 'own1' }),
      health: () => ({ healthy: true }),
      ledger: (hostname) =>
        hostname === undefined ? { devices: [] } : hostname === 'pi' ? { ledger: { id: 1 } } : undefined,
      flush: async () => {
        if (fails) throw new Error('no')
        return { flushed: true }
      },
    },
  })
  const ask = async (verb: string, payload = '', retain = false) => {
    const taken = requests.take({
      topic: topics.request(verb),
      payload: Buffer.from(payload),
      retain,
      duplicate: false,
    })
    await settled()
    return taken
  }
  return { requests, said, ask }
}

describe('a request to the bridge', () => {
  it.each([
    ['health', '', { healthy: true }],
    ['health', 'no JSON', { healthy: true }],
    ['health', '[1]', { healthy: true }],
    ['health', '{"id":"a1"}', { id: 'a1', healthy: true }],
    ['ledger', '', { devices: [] }],
    ['ledger', '{"id":7,"hostname":"pi"}', { id: 7, ledger: { id: 1 } }],
    ['ledger', '{"hostname":"elsewhere"}', { error: 'there is no device elsewhere' }],
    ['flush', '{"id":"a1"}', { id: 'a1', flushed: true }],
    ['destroy', '', { error: 'there is no request destroy: there are health, ledger and flush' }],
  ])('%s with %j is answered on its response topic, by name', async (verb, payload, answer) => {
    const { said, ask } = desk()
    expect(await ask(verb, payload)).toBe(true)
    expect(said).toEqual([[`sensehat/bridge/response/${verb}`, { instance: 'own1', ...answer }]])
  })

  it('is not answered when it is retained: it would come again with every connection', async () => {
    const { said, ask } = desk()
    expect(await ask('flush', '', true)).toBe(true)
    expect(said).toEqual([])
  })

  it('is not answered by a bridge that another one takes over from', async () => {
    const { said, ask } = desk({ speaking: false })
    await ask('health')
    expect(said).toEqual([])
  })

  it('that fails hurts nothing', async () => {
    const { said, ask } = desk({ fails: true })
    await ask('flush')
    expect(said).toEqual([])
  })

  it('is told from other messages', () => {
    const { requests } = desk()
    const message = { topic: topics.bridgeInfo, payload: Buffer.from(''), retain: false, duplicate: false }
    expect(requests.take(message)).toBe(false)
  })
})
