import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { expectNothingAmiss, Household } from './household.ts'

const ACCESS = fileURLToPath(new URL('../../deploy/mosquitto.acl', import.meta.url))
const DOCUMENTS = 'pattern readwrite homeassistant/device/%u/sensehat/config\n'

interface Info {
  readonly stream: string
  readonly problems: readonly string[]
}

/** As it is shipped, but that no Pi may write or read its device document. */
function accessWithoutDocuments(): string {
  const shipped = readFileSync(ACCESS, 'utf8')
  expect(shipped).toContain(DOCUMENTS)
  const file = join(temporaryDirectory(), 'acl')
  writeFileSync(file, shipped.replace(DOCUMENTS, ''), { mode: 0o600 })
  return file
}

describeWithMosquitto('trouble a user must be told of', () => {
  it('two Pis of one name: each says so and names the other, Home Assistant shows a problem, and it ends with the second', async () => {
    const house = await Household.open()
    const infos = house.listen('info')
    const all = () => infos.all.map((payload) => JSON.parse(payload) as Info)
    house.publisher()
    await house.isThere()
    expect(house.state('problem')).toBe('off')
    const second = house.publisher()
    const accusing = () =>
      all().filter(({ problems }) => problems.some((one) => one.startsWith('another Pi has this name')))
    await infos.until(() => new Set(accusing().map(({ stream }) => stream)).size === 2)
    const [one, other] = [...new Set(accusing().map(({ stream }) => stream))]
    for (const { stream, problems } of accusing()) expect(problems.join()).toContain(stream === one ? other : one)
    await house.until('the problem in Home Assistant', () => house.state('problem') === 'on')
    await second.line(/another Pi has this name/)
    expectNothingAmiss(house)
    // The Will of one is no end of the other.
    second.kill('SIGKILL')
    await second.ended()
    await house.speaks()
    await house.isThere()
    await house.until('it is connected', () => house.state('connectivity') === 'on')
  })

  it.each(['5', '3.1.1'])(
    'a broker that does not let a Pi announce itself: the Pi says so, and its readings come all the same (MQTT %s)',
    async (protocol) => {
      const house = await Household.open({ override: { acl_file: accessWithoutDocuments() } })
      const [infos, readings] = [house.listen('info'), house.listen('readings')]
      const program = house.publisher({ SNOWHAT_MQTT_PROTOCOL: protocol })
      await program.line(/Home Assistant may not see this device/, 40_000)
      const told = (payload: string) => (JSON.parse(payload) as Info).problems.length > 0
      await infos.until((all) => all.some(told))
      expect((JSON.parse(infos.all.at(-1) ?? '') as Info).problems).toEqual([
        'the broker does not let this Pi announce itself to Home Assistant',
      ])
      await readings.count(2)
      expect(house.ha.devices()).toEqual([])
    },
  )
})
