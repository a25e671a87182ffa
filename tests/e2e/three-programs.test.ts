import mqtt from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import { describeWithContainers } from '../support/container.ts'
import { eventually } from '../support/eventually.ts'
import { run } from '../support/program.ts'
import { type Chain, startChain } from './chain.ts'

/** What the broker tells somebody who comes now: what it holds retained, and what follows. */
async function retained(chain: Chain): Promise<Map<string, string>> {
  const client = await mqtt.connectAsync(chain.broker.url)
  onTestFinished(() => client.endAsync(true))
  const messages = new Map<string, string>()
  client.on('message', (topic, payload) => messages.set(topic, payload.toString()))
  await client.subscribeAsync('#', { qos: 1 })
  return messages
}

function json(text: string | undefined): Record<string, unknown> {
  return JSON.parse(text ?? '{}') as Record<string, unknown>
}

describeWithContainers('publisher, bridge and emulator around Mosquitto', () => {
  it.each([
    ['emulator, bridge, publisher', ['emulator', 'bridge', 'publisher']],
    ['publisher, bridge, emulator', ['publisher', 'bridge', 'emulator']],
    ['bridge, publisher, emulator', ['bridge', 'publisher', 'emulator']],
  ] as const)('bring every reading into the table once, started in the order %s', async (_order, order) => {
    const chain = await startChain()
    const start = {
      emulator: async () => {
        const program = chain.emulator()
        await program.line(/the emulator is running/)
        return program
      },
      bridge: async () => {
        const program = chain.bridge()
        await program.line(/connected to the broker/)
        return program
      },
      publisher: async () => {
        const program = chain.publisher('pi-one', 20)
        await program.line(/connected to the MQTT broker/)
        return program
      },
    }
    const [first, second, third] = order
    const programs = { [first]: await start[first](), [second]: await start[second](), [third]: await start[third]() }
    const { publisher, bridge, emulator } = programs as Record<(typeof order)[number], (typeof programs)[string]>
    if (!publisher || !bridge || !emulator) throw new Error('three programs')
    await chain.expectAllOnce({ 'pi-one': publisher }, 200, [bridge, emulator])
  })

  it('leave with the broker what Home Assistant and the next bridge need', async () => {
    const chain = await startChain()
    const live = await retained(chain)
    chain.emulator()
    chain.bridge()
    chain.publisher('pi-one')
    const state = await eventually('a state', () => live.get('sensehat/pi-one/state'))
    expect(json(state)).toMatchObject({ temperature: expect.any(Number), pressure: expect.any(Number) })
    await eventually('rows in the table', async () => (await chain.rows()) > 0, 30_000)
    const seen = await retained(chain)
    const documents = [
      'homeassistant/device/pi-one/sensehat/config',
      'sensehat/pi-one/availability',
      'sensehat/pi-one/info',
      'sensehat/pi-one/settings',
      'sensehat/bridge/availability',
      'sensehat/bridge/info',
      'sensehat/bridge/devices/pi-one',
    ]
    await eventually('the retained documents', () => documents.every((topic) => seen.has(topic)))
    expect(seen.get('sensehat/pi-one/availability')).toBe('online')
    expect(seen.get('sensehat/bridge/availability')).toBe('online')
    const discovery = json(seen.get('homeassistant/device/pi-one/sensehat/config'))
    expect(Object.keys(discovery)).toEqual(expect.arrayContaining(['device', 'origin', 'components']))
    const ledger = json(seen.get('sensehat/bridge/devices/pi-one'))
    expect(ledger).toMatchObject({ instance: json(seen.get('sensehat/bridge/info')).instance })
  })

  it('answer snowhat query with a table for people and with JSON for programs', async () => {
    const chain = await startChain()
    chain.emulator()
    // A publisher that has taken its last reading and sees no bridge does not wait for one.
    await chain.bridge().line(/connected to the broker/)
    const publisher = chain.publisher('pi-one', 1)
    await publisher.line(/all readings are in the table"/, 30_000)
    const statement = 'select hostname, count(*) as readings from sensehat_sensor_data group by 1'
    const options = { env: chain.environment }
    const people = await run(['query', statement], options)
    expect(people).toMatchObject({ code: 0, stderr: '' })
    expect(people.stdout).toMatch(/^HOSTNAME +READINGS\n-+ +-+\npi-one +10\n\(1 row\)\n$/)
    const programs = await run(['query', '--json', statement], options)
    expect(json(programs.stdout)).toEqual({ HOSTNAME: 'pi-one', READINGS: '10' })
    const gaps = await run(['query', '--json', 'select * from sensehat_gaps'], options)
    expect(gaps).toMatchObject({ code: 0, stdout: '' })
    const wrong = await run(['query', 'select nonsense from nowhere'], options)
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toMatch(/^snowhat: the statement failed: .*nowhere/i)
  })

  it('say offline when the publisher is told to stop, and when it is killed', async () => {
    const chain = await startChain()
    const seen = await retained(chain)
    for (const [hostname, signal] of [
      ['pi-one', 'SIGTERM'],
      ['pi-two', 'SIGKILL'],
    ] as const) {
      const publisher = chain.publisher(hostname)
      const topic = `sensehat/${hostname}/availability`
      await eventually(`${hostname} online`, () => seen.get(topic) === 'online')
      publisher.kill(signal)
      const { code } = await publisher.ended(10_000)
      expect(code).toBe(signal === 'SIGTERM' ? 0 : null)
      await eventually(`${hostname} offline`, () => seen.get(topic) === 'offline')
      const late = await retained(chain)
      await eventually(`${hostname} offline for late comers`, () => late.get(topic) === 'offline')
    }
  })

  it('say offline when the bridge is told to stop, and when it is killed', async () => {
    const chain = await startChain()
    chain.emulator()
    const seen = await retained(chain)
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const bridge = chain.bridge()
      await eventually('the bridge online', () => seen.get('sensehat/bridge/availability') === 'online')
      bridge.kill(signal)
      const { code } = await bridge.ended(10_000)
      expect(code).toBe(signal === 'SIGTERM' ? 0 : null)
      await eventually('the bridge offline', () => seen.get('sensehat/bridge/availability') === 'offline')
    }
  })
})
