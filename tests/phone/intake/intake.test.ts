import { describe, expect, it } from 'vitest'
import { Seen } from '../../../phone/intake/seen.ts'
import { intakeSetUp } from '../support.ts'

const message = { deviceId: 'a', sessionId: 's', messageId: 1 }

describe('messages that came before', () => {
  it('are written down only when they are on the disk: after a power cut the sender may have to send them again', async () => {
    const seen = new Seen()
    let stored: () => void = () => undefined
    const writing = new Promise<void>((resolve) => {
      stored = resolve
    })
    seen.add(message, 'hash', writing)
    expect(seen.look(message, 'hash')).toMatchObject({ duplicateOf: writing })
    expect(new Seen(seen.saved()).look(message, 'hash')).toBe('new')
    stored()
    await writing
    expect(new Seen(seen.saved()).look(message, 'hash')).toMatchObject({ duplicateOf: expect.any(Promise) })
  })

  it('are forgotten where there was no room for them', async () => {
    const seen = new Seen()
    const writing = Promise.reject(new Error('full'))
    seen.add(message, 'hash', writing)
    await writing.catch(() => undefined)
    expect(seen.look(message, 'hash')).toBe('new')
  })
})

it('a recording whose message is on its way to the disk is not silent', async () => {
  const heard: string[] = []
  const { intake } = await intakeSetUp({ onHeard: ({ sessionId }) => heard.push(sessionId) })
  const body = Buffer.from(
    '{"messageId":1,"sessionId":"s","deviceId":"a","payload":[{"name":"light","time":1,"values":{"lux":1}}]}',
  )
  const taken = intake.take(body, 'http')
  expect(heard).toEqual(['s'])
  await taken
})
