import { expect, it } from 'vitest'
import type { LetterIdentity, ReplayedLog } from '../../../bridge/dead-letters/replayed.ts'
import type { Planned } from '../../../cli/deadletters/messages.ts'
import { sendLetters } from '../../../cli/deadletters/send.ts'
import { SnowhatError } from '../../../src/errors.ts'
import { silentLog } from '../../../src/log.ts'
import type { MqttLink } from '../../../src/mqtt-link.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** `letters` of 150 readings each: three letters are three messages, the second ends the first letter. */
function planned(letters: number, device = 'pi'): Planned[] {
  return Array.from({ length: letters }, (_, i) => ({
    letter: { number: i + 1, device, topic: 't', code: 'too_many', reason: 'r', payload: Buffer.from('x'), at: i },
    plan: {
      kind: 'ready',
      device,
      topic: `sensehat/${device}/readings`,
      readings: Array.from({ length: 150 }, () => ({ text: '{}', uuid: undefined })),
    },
  }))
}

function world(refuses: (message: number) => unknown, note: () => Promise<void> = async () => undefined) {
  const published: string[] = []
  const noted: number[] = []
  const stop = new AbortController()
  const link = {
    publish: async (topic: string) => {
      published.push(topic)
      const refusal = refuses(published.length)
      if (refusal !== undefined) throw refusal
    },
  } as Partial<MqttLink> as MqttLink
  const replayed = {
    note: async (letters: readonly LetterIdentity[]) => {
      await note()
      noted.push(...letters.map(({ number }) => number))
    },
  } as Partial<ReplayedLog> as ReplayedLog
  const send = (letters: readonly Planned[]) =>
    sendLetters(letters, { link, replayed }, { clock: new ManualClock(), log: silentLog(), stop: stop.signal })
  return { published, noted, stop, send }
}

const LOST = new SnowhatError('E_MQTT_DISCONNECTED', 'not connected to the MQTT broker')
const never = () => undefined
const FORBIDDEN = Object.assign(new Error('Publish error: Not authorized'), { code: 0x87 })

it('a letter is noted when the last of its readings is acknowledged', async () => {
  const w = world((message) => (message === 3 ? new Error('quota exceeded') : undefined))
  expect(await w.send(planned(4))).toMatchObject({
    letters: 2,
    readings: 400,
    unsent: 2,
    reason: 'quota exceeded',
    refusal: undefined,
  })
  expect(w.noted).toEqual([1, 2])
})

it('a letter that could not be noted is not told as replayed', async () => {
  const w = world(never, () => Promise.reject(new SnowhatError('E_LOG_FULL', 'the disk is full')))
  expect(await w.send(planned(2))).toMatchObject({ letters: 0, unsent: 2, reason: 'the disk is full' })
})

it("a broker that refuses one device's topic may take another's", async () => {
  const w = world((message) => (message === 1 ? FORBIDDEN : undefined))
  expect(await w.send([...planned(1, 'pi'), ...planned(1, 'pj')])).toMatchObject({
    letters: 1,
    unsent: 1,
    refusal: { code: 'E_MQTT_REFUSED', message: 'the broker does not let this user write sensehat/pi/readings' },
  })
  expect(w.published).toEqual(['sensehat/pi/readings', 'sensehat/pj/readings'])
})

it('nothing more is tried when the connection is lost', async () => {
  const w = world((message) => (message === 2 ? LOST : undefined))
  expect(await w.send([...planned(9, 'pi'), ...planned(9, 'pj')])).toMatchObject({ letters: 1, unsent: 17 })
  expect(w.published).toHaveLength(2)
})

it('nothing more is begun when it is told to stop', async () => {
  const w = world((message) => {
    if (message === 2) w.stop.abort('SIGINT')
    return undefined
  })
  expect(await w.send(planned(9))).toMatchObject({ letters: 2, readings: 400, unsent: 7, reason: 'stopped' })
  expect(w.noted).toEqual([1, 2])
})
