import { expect, it, onTestFinished } from 'vitest'
import { type PhoneSettings, phoneSection } from '../../../phone/config.ts'
import { type PhoneReceiver, startPhoneReceiver } from '../../../phone/phone.ts'
import { silentLog } from '../../../src/log.ts'
import { FakeHomeAssistant } from '../../home-assistant/fake-home-assistant.ts'
import { aedesBroker } from '../../support/aedes-broker.ts'
import { defaultSettings } from '../../support/bridge-settings.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { eventually, patient } from '../../support/eventually.ts'
import { fastClock } from '../../support/fast-clock.ts'
import { mqttSettings } from '../../support/links.ts'
import { walkMessage } from '../../support/phone-messages.ts'

const DEVICE = 'phone-a'
const DOCUMENT = `homeassistant/device/${DEVICE}/sensehat_phone/config`
const ACTIVITY = `sensehat_phone_${DEVICE}_activity`
const DOES = /^(stationary|walking|running|sprinting)$/
/** Home Assistant's birth is answered after five seconds. */
const TIMES = 4

it('a phone is a device of Home Assistant, also after its restart; deleted there it stays away until the receiver starts anew', async () => {
  const broker = await aedesBroker()
  const ha = new FakeHomeAssistant({ url: broker.url, protocolVersion: 4, settleMs: 20, reconnectMs: 20 })
  onTestFinished(() => ha.crash())
  await ha.start()
  const clock = fastClock(TIMES)
  const defaults = Object.fromEntries(Object.entries(phoneSection).map(([key, { default: value }]) => [key, value]))
  const phone = { ...(defaults as unknown as PhoneSettings), port: 0, dir: temporaryDirectory() }
  const { home_assistant, phones } = defaultSettings
  const start = async (): Promise<PhoneReceiver> => {
    const sections = { phone, phones, home_assistant, mqtt: mqttSettings(broker.url, '3.1.1') }
    const receiver = await startPhoneReceiver(sections, { clock, log: silentLog(), random: () => 0 })
    onTestFinished(() => receiver.close())
    return receiver
  }
  const fromMs = Math.floor(clock.now()) - 60_000
  let messageId = 0
  const walks = async ({ port }: PhoneReceiver, seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      const body = walkMessage({ deviceId: DEVICE, sessionId: 'walk', fromMs, rate: 20 }, messageId++)
      const { status } = await fetch(`http://127.0.0.1:${port}/sensor-data`, { method: 'POST', body })
      expect(status).toBe(200)
    }
  }
  const shows = (what: string) => ha.until(what, () => DOES.test(ha.state(ACTIVITY) ?? ''), patient(20_000))
  const documents = () => broker.published.all.filter(([topic, payload]) => topic === DOCUMENT && payload !== '')

  const first = await start()
  await walks(first, 30)
  await shows('an activity')
  expect(ha.devices().map(({ details }) => details.name)).toEqual(['Phone phone-a'])
  expect(documents()).toHaveLength(1)

  await ha.restart()
  await shows('the activity, though the phone has said nothing new')

  const before = documents().length
  await ha.deleteDevice(`sensehat_phone_${DEVICE}`)
  await walks(first, 10)
  await eventually('the messages are taken', () => first.counters().messages === messageId)
  await first.close()
  expect(documents()).toHaveLength(before)
  expect(ha.devices()).toEqual([])

  const second = await start()
  await walks(second, 10)
  await shows('an activity again')
  expect(ha.problems()).toEqual([])
  expect([...ha.findings().values()].flat()).toEqual([])
})
