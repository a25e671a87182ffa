import { expect, it, onTestFinished } from 'vitest'
import { hasExpired } from '../../../bridge/lanes/expired-channel.ts'
import { connectSnowpipe } from '../../../bridge/snowpipe/client.ts'
import { createIdentity } from '../../../bridge/snowpipe/credentials.ts'
import { MemorySpool } from '../../../bridge/spool/memory-spool.ts'
import { systemClock } from '../../../src/clock.ts'
import { silentLog } from '../../../src/log.ts'
import { emulated } from '../../emulator/harness.ts'
import { defaultSettings } from '../../support/bridge-settings.ts'
import { DESTINATION, pipeNamed } from '../../support/pipes.ts'

const DAY = 86_400_000

it('a channel that the emulator has deleted after 30 days is known to have expired, as long as one of its pipe has not', async () => {
  let ahead = 0
  const clock = { ...systemClock(), now: () => Date.now() + ahead }
  const { emulator } = await emulated({}, clock)
  const settings = { ...defaultSettings.snowflake, account: 'EMULATOR', url: emulator.url }
  const snowpipe = connectSnowpipe(settings, { clock, identity: createIdentity(settings, clock) })
  onTestFinished(() => snowpipe.close())
  const spool = new MemorySpool(1e6, 'own1')
  const path = (channel: string) => ({ pipe: pipeNamed(DESTINATION.pipes[0]), channel })
  const open = async (hostname: string) => {
    const outcome = await snowpipe.open(path(hostname), true)
    if (outcome.verdict !== 'ok') throw new Error(outcome.answer.message)
    return outcome.value.status
  }
  const ask = async () => {
    const status = await open('pi')
    const found = { device: spool.device('pi'), path: path('pi'), status, unsettled: false, ledgers: async () => [] }
    return hasExpired(found, { log: silentLog(), spool, snowpipe, expiredChannels: 'proved' })
  }
  for (const hostname of ['other', 'pi']) {
    const device = spool.device(hostname)
    device.pipe = DESTINATION.pipes[0]
    device.incarnation = (await open(hostname)).createdOnMs
  }
  ahead += DAY
  const pi = spool.device('pi')
  expect((await open('pi')).createdOnMs).toBe(pi.incarnation)
  pi.lastCommitAt = clock.now()

  ahead += 20 * DAY
  await open('other')
  ahead += 11 * DAY
  expect(await ask()).toBe(true)
  pi.incarnation = (await open('pi')).createdOnMs

  // Now all of them are silent.
  ahead += 31 * DAY
  expect(await ask()).toBe(false)
})
