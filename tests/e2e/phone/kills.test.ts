import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { readParameters } from '../../../phone/classify/parameters.ts'
import { Recognition } from '../../../phone/recognition/recognition.ts'
import { parseMessage } from '../../../phone/wire/parse-message.ts'
import { describeWithMosquitto, startAnyMosquitto } from '../../support/any-mosquitto.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { eventually, patient } from '../../support/eventually.ts'
import { type Walk, walkMessage } from '../../support/phone-messages.ts'
import { freePort } from '../../support/ports.ts'
import { type Program, snowhat } from '../../support/program.ts'
import { takeRows } from './row-taker.ts'

const MESSAGES = 60
const KILLS = 4
const seed = Number(process.env.SNOWHAT_CRASH_SEED ?? 7)

describeWithMosquitto('a phone receiver that is killed within and between windows', () => {
  it(`makes the same rows as one that is not, and has every message it said 200 to (seed ${seed})`, async () => {
    const url = await startAnyMosquitto(onTestFinished)
    const taker = await takeRows(url)
    const port = await freePort()
    const dir = temporaryDirectory()
    // Silence is the clock's affair, not the kills': no recording ends in this test.
    const env = { SNOWHAT_PHONE_IDLE_FLUSH: '1h', SNOWHAT_PHONE_DIR: dir, SNOWHAT_MQTT_URL: url }
    const start = () => snowhat(['phone', '--port', String(port), '--max-messages-per-s', '1000'], { env })
    let program: Program = start()
    const chance = seeded(seed)
    const killAfter = new Set(Array.from({ length: KILLS }, () => 1 + Math.floor(chance() * (MESSAGES - 2))))

    const fromMs = Date.now() - 120_000
    const walks: Walk[] = ['phone-a', 'phone-b'].map((deviceId) => ({
      deviceId,
      sessionId: `${deviceId}-1`,
      fromMs,
      rate: 25,
    }))
    for (let messageId = 0; messageId < MESSAGES; messageId++) {
      const posts = walks.map((walk) => post(port, walkMessage(walk, messageId)))
      if (killAfter.has(messageId)) {
        // Somewhere between the arrival of the message and what becomes of it.
        await sleep(chance() * 60)
        program.kill('SIGKILL')
        await program.ended()
        program = start()
      }
      await Promise.all(posts)
      if (chance() < 0.2) await taker.commit()
    }

    const parameters = await readParameters()
    for (const walk of walks) {
      const reference = Recognition.begin({ classifier: 'std' }, parameters)
      const raw = () => taker.rows(`phones/${walk.deviceId}/readings`)
      await eventually(`all messages of ${walk.deviceId}`, () => raw().length === MESSAGES)
      expect(raw().map(({ messageId }) => messageId)).toEqual(Array.from({ length: MESSAGES }, (_, i) => i))
      expect(raw().map(({ seq }) => seq)).toEqual(Array.from({ length: MESSAGES }, (_, i) => i + 1))
      const wanted = raw().flatMap(({ messageId, received_at }) => {
        const parsed = parseMessage(walkMessage(walk, Number(messageId)), () => true)
        if (!parsed.ok) throw new Error(parsed.sentence)
        return reference.process(parsed.message, Date.parse(String(received_at))).map(({ record }) => record)
      })
      expect(wanted.length).toBeGreaterThan(10)
      const activity = () => taker.rows(`phones/${walk.deviceId}/activity`)
      await eventually(`all activities of ${walk.deviceId}`, () => activity().length === wanted.length)
      expect(activity().map(({ stream: _stream, seq: _seq, after: _after, ...record }) => record)).toEqual(
        JSON.parse(JSON.stringify(wanted)),
      )
      expect(new Set([...raw(), ...activity()].map(({ stream }) => stream)).size).toBe(1)
    }
    expect(taker.contradictions).toEqual([])

    await taker.commit()
    await eventually('nothing waits any more', async () => {
      const health = await fetch(`http://127.0.0.1:${port}/healthz`)
      return (await health.text()).includes(' 0 rows not yet')
    })
    program.kill('SIGTERM')
    expect((await program.ended()).code).toBe(0)
  })
})

/** As a phone behind a proxy that repeats what had no answer. */
async function post(port: number, body: string): Promise<void> {
  await eventually(
    'an answer',
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/sensor-data`, {
        method: 'POST',
        body,
        signal: AbortSignal.timeout(patient(5_000)),
      })
      return answer.status === 200
    },
    30_000,
  )
}

/** mulberry32, a generator of 32 bits of state. */
function seeded(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
