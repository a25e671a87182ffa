import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { phoneMessage } from './phone-message.ts'
import { answer } from './program.ts'

/*
 * Phones that record: each has a connection of its own, sends a second of readings at a time, spread over the second, and
 * does not send again what had no answer, as the app does.
 */

export interface PhonesQuestion {
  readonly url: string
  readonly phones: number
  readonly hertz: number
  readonly gravity: boolean
  /** Messages of each phone. */
  readonly messages: number
  /** Seconds of recording in a second of the wall clock. */
  readonly speed: number
  /** Messages of one recording; then another begins. */
  readonly recording: number
  /** Names the phones of this run. */
  readonly name: string
}

export interface PhonesCount {
  readonly sent: number
  /** With 200. */
  readonly taken: number
  /** Samples of the accelerometer in those. */
  readonly samples: number
  /** From the first message until all are answered and the second of the last is over. */
  readonly seconds: number
  /** Milliseconds from the end of a message to its answer. */
  readonly p50: number
  readonly p99: number
}

answer<PhonesQuestion>(async (question) => {
  const { url, phones, hertz, messages, speed } = question
  const agent = new Agent({ keepAlive: true, maxSockets: phones })
  const started = performance.now()
  // What they send is from then on in the past: no reading is ahead of its receipt, however fast it goes.
  const fromMs = Date.now() - Math.max(0, speed - 1) * (messages / speed) * 1000
  const times: number[] = []
  let taken = 0
  const waiting: Promise<void>[] = []
  for (let message = 0; message < messages; message++)
    for (let phone = 0; phone < phones; phone++) {
      const due = started + ((message + phone / phones) * 1000) / speed
      const wait = due - performance.now()
      if (wait > 0) await sleep(wait)
      const body = bodyOf(question, phone, message, fromMs)
      const sentAt = performance.now()
      const answered = post(url, agent, body).then((status) => {
        times.push(performance.now() - sentAt)
        if (status === 200) taken++
      })
      waiting.push(answered)
    }
  await Promise.all(waiting)
  // The second of the last messages is over too.
  await sleep(Math.max(0, started + (messages * 1000) / speed - performance.now()))
  agent.destroy()
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  const seconds = (performance.now() - started) / 1000
  return {
    sent: waiting.length,
    taken,
    samples: taken * hertz,
    seconds,
    p50: at(0.5),
    p99: at(0.99),
  } satisfies PhonesCount
})

function bodyOf({ name, hertz, gravity, recording }: PhonesQuestion, phone: number, message: number, fromMs: number) {
  return phoneMessage({
    deviceId: `${name}-${phone}`,
    sessionId: `${name}-${phone}-${Math.floor(message / recording)}`,
    messageId: message % recording,
    atMs: Math.floor(fromMs) + message * 1000,
    hertz,
    gravity,
  })
}

/** The status; 0 when there was no answer. */
function post(url: string, agent: Agent, body: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asked = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
      response.once('error', () => resolve(0))
    })
    asked.once('error', () => resolve(0))
    asked.end(body)
  })
}
