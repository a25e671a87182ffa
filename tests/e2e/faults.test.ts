import { expect, it } from 'vitest'
import { describeWithContainers } from '../support/container.ts'
import { eventually } from '../support/eventually.ts'
import type { Program } from '../support/program.ts'
import { type Chain, startChain } from './chain.ts'

/** Two Pis, ten seconds of readings each, a fault in the middle. */
const BATCHES = 20
const READINGS = 10 * BATCHES

interface Running {
  readonly chain: Chain
  emulator: Program
  bridge: Program
  readonly pis: Readonly<Record<string, Program>>
}

async function running(): Promise<Running> {
  const chain = await startChain()
  const emulator = chain.emulator()
  const bridge = chain.bridge()
  const pis = { 'pi-one': chain.publisher('pi-one', BATCHES), 'pi-two': chain.publisher('pi-two', BATCHES) }
  await rowsBeyond(chain, 20)
  return { chain, emulator, bridge, pis }
}

async function rowsBeyond(chain: Chain, rows: number): Promise<void> {
  await eventually(`more than ${rows} rows`, async () => (await chain.rows()) > rows, 30_000)
}

function expectAllOnce({ chain, pis, bridge, emulator }: Running): Promise<void> {
  return chain.expectAllOnce(pis, READINGS, [bridge, emulator])
}

describeWithContainers('nothing is lost and nothing is twice', { timeout: 90_000 }, () => {
  it('when the bridge is killed three times and started again each time', async () => {
    const all = await running()
    for (const rows of [30, 80, 140]) {
      await rowsBeyond(all.chain, rows)
      all.bridge.kill('SIGKILL')
      await all.bridge.ended()
      all.bridge = all.chain.bridge()
    }
    await expectAllOnce(all)
  })

  it('when the bridge is told to stop and started again', async () => {
    const all = await running()
    all.bridge.kill('SIGTERM')
    expect(await all.bridge.ended(15_000)).toMatchObject({ code: 0 })
    all.bridge = all.chain.bridge()
    await expectAllOnce(all)
  })

  it('when the broker is restarted', async () => {
    const all = await running()
    await all.chain.broker.restart()
    await expectAllOnce(all)
  })

  it('when the broker crashes and has forgotten sessions, ledgers and queues', async () => {
    const all = await running()
    await all.chain.broker.crash()
    await expectAllOnce(all)
  })

  it('when Snowflake is away while rows pile up', async () => {
    const all = await running()
    all.emulator.kill('SIGTERM')
    expect(await all.emulator.ended()).toMatchObject({ code: 0 })
    await eventually('a pile', async () => (await all.chain.health()).rows_waiting > 20)
    all.emulator = all.chain.emulator()
    await expectAllOnce(all)
  })

  it('when Snowflake forgets what it had accepted and not committed', async () => {
    const all = await running()
    all.emulator.kill('SIGKILL')
    await all.emulator.ended()
    all.emulator = all.chain.emulator()
    await expectAllOnce(all)
  })

  it('when the bridge is killed while Snowflake is away', async () => {
    const all = await running()
    all.emulator.kill('SIGKILL')
    await all.emulator.ended()
    await eventually('a pile', async () => (await all.chain.health()).rows_waiting > 20)
    all.bridge.kill('SIGKILL')
    await all.bridge.ended()
    all.bridge = all.chain.bridge()
    await all.bridge.line(/connected to the broker/)
    all.emulator = all.chain.emulator()
    await expectAllOnce(all)
  })

  it('when a second bridge is started: one of the two stands down with exit code 78 and says why', async () => {
    const all = await running()
    const second = all.chain.bridge(['--http-port', '0'])
    const [loser, ended] = await Promise.race(
      [all.bridge, second].map(async (bridge) => [bridge, await bridge.ended(30_000)] as const),
    )
    expect(ended.code).toBe(78)
    expect(ended.stderr).toMatch(/^snowhat: another bridge .*\n.*one bridge per broker/m)
    if (loser === all.bridge) {
      second.kill('SIGTERM')
      await second.ended(15_000)
      all.bridge = all.chain.bridge()
    }
    await expectAllOnce(all)
  })
})
