import { expect, it } from 'vitest'
import { describeWithContainers } from '../support/container.ts'
import { eventually } from '../support/eventually.ts'
import { type Program, run, snowhat } from '../support/program.ts'
import { type Chain, startChain } from './chain.ts'

/** Another bridge at the same broker and the same Snowflake; its page is elsewhere. */
function another(chain: Chain, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Program {
  return snowhat(['bridge', '--http-port', '0', ...args], { env: { ...chain.environment, ...env } })
}

async function running(chain: Chain): Promise<Program> {
  const bridge = chain.bridge()
  await bridge.line(/connected to the broker/)
  return bridge
}

describeWithContainers('one bridge per broker', () => {
  it('a second one does not start while the first lives: exit 78 and one sentence', async () => {
    const chain = await startChain()
    const emulator = chain.emulator()
    const first = await running(chain)
    const publisher = chain.publisher('pi-one', 20)
    await eventually('rows in the table', async () => (await chain.rows()) > 0, 30_000)
    const second = await another(chain).ended()
    expect(second.code).toBe(78)
    expect(second.stderr).toMatch(/^snowhat: another bridge is running here: instance \w{4}, on .*\n.*--take-over/)
    expect(first.stderr).not.toContain('lost the MQTT broker')
    await chain.expectAllOnce({ 'pi-one': publisher }, 200, [first, emulator])
  })

  it('one that was killed is not in the way of the next, not for a second', async () => {
    const chain = await startChain()
    const emulator = chain.emulator()
    const publisher = chain.publisher('pi-one', 30)
    for (let i = 0; i < 3; i++) {
      const bridge = await running(chain)
      await eventually('rows in the table', async () => (await chain.rows()) > 0, 30_000)
      bridge.kill('SIGKILL')
      await bridge.ended()
    }
    const last = chain.bridge()
    await last.line(/connected to the broker/, 8_000)
    await chain.expectAllOnce({ 'pi-one': publisher }, 300, [last, emulator])
  })

  it('one that is frozen is not in the way either, and leaves when it wakes up', async () => {
    const chain = await startChain()
    const emulator = chain.emulator()
    const frozen = another(chain)
    await frozen.line(/connected to the broker/)
    const publisher = chain.publisher('pi-one', 30)
    await eventually('rows in the table', async () => (await chain.rows()) > 0, 30_000)
    frozen.kill('SIGSTOP')
    const next = chain.bridge()
    await next.line(/it is gone/)
    await next.line(/connected to the broker/)
    frozen.kill('SIGCONT')
    expect((await frozen.ended(30_000)).code).toBe(78)
    await chain.expectAllOnce({ 'pi-one': publisher }, 300, [next, emulator])
  })

  it('--take-over makes the running one stop, and every reading is in the table once', async () => {
    const chain = await startChain()
    const emulator = chain.emulator()
    const first = another(chain)
    await first.line(/connected to the broker/)
    const publisher = chain.publisher('pi-one', 30)
    await eventually('rows in the table', async () => (await chain.rows()) > 0, 30_000)
    const second = chain.bridge(['--take-over'])
    const { code, stderr } = await first.ended()
    expect(code).toBe(78)
    expect(stderr).toMatch(/snowhat: another bridge \(\w{4}\) has announced itself/)
    await chain.expectAllOnce({ 'pi-one': publisher }, 300, [second, emulator])
  })

  it('two at once with the guard off lose nothing and bring nothing twice, and raise an alarm', async () => {
    const chain = await startChain()
    const emulator = chain.emulator()
    const unguarded = { SNOWHAT_BRIDGE_GUARD: 'false' }
    const both = [
      snowhat(['bridge'], { env: { ...chain.environment, ...unguarded } }),
      another(chain, [], { ...unguarded, SNOWHAT_BRIDGE_CLIENT_ID: 'second' }),
    ]
    for (const bridge of both) await bridge.line(/connected to the broker/)
    const publisher = chain.publisher('pi-one', 30)
    await Promise.race(both.map((bridge) => bridge.line(/two bridges at one broker, and the guard is off/)))
    await publisher.line(/all readings are in the table"/, 60_000)
    expect(await publisher.ended()).toMatchObject({ code: 0 })
    for (const bridge of both) bridge.kill('SIGTERM')
    for (const bridge of both) await bridge.ended()
    emulator.kill('SIGTERM')
    await emulator.ended()
    await chain.expectTableOnce({ 'pi-one': 300 })
  })
})

describeWithContainers('snowhat ledger', () => {
  it('shows what the broker holds, with the bridge and without it', async () => {
    const chain = await startChain()
    chain.emulator()
    const bridge = await running(chain)
    const publisher = chain.publisher('pi-one', 5)
    await publisher.line(/all readings are in the table"/, 60_000)
    const options = { env: chain.environment }
    const line = async () => {
      const { code, stdout, stderr } = await run(['ledger', '--json'], options)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return JSON.parse(stdout) as Record<string, unknown>
    }
    const counts = { hostname: 'pi-one', published: 50, received: 50, committed: 50, missing: 0 }
    expect(await line()).toMatchObject({ ...counts, lane: 'ready' })
    bridge.kill('SIGKILL')
    await bridge.ended()
    expect(await line()).toMatchObject({ ...counts, lane: null })
    const people = await run(['ledger'], options)
    expect(people.stdout).toMatch(/^device +published +received/)
    expect(people.stdout).toContain('nothing is missing')
  })
})
