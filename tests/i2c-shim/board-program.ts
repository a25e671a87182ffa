import { createInterface } from 'node:readline'
import { AttinyMatrix } from '../../publisher/matrix/drivers/attiny-matrix.ts'
import { Frame } from '../../publisher/matrix/frame.ts'
import { openLinuxBus } from '../../publisher/sensors/bus/linux-bus.ts'
import { openSenseHat } from '../../publisher/sensors/sense-hat.ts'
import { hintOf, messageOf } from '../../src/errors.ts'
import { silentLog } from '../../src/log.ts'
import { quickClock } from './quick-clock.ts'

/**
 * The program under test: the drivers of a real board over the real package `i2c-bus`, told what to do by lines of JSON,
 * each answered by one. Its argument is `force` to use addresses of kernel drivers.
 */
const open = () => openLinuxBus({ number: 1, force: process.argv[2] === 'force', root: '/nowhere' })
const clock = quickClock()

export type Order =
  | { readonly read: true }
  | { readonly block: { readonly address: number; readonly register: number; readonly length: number } }
  | { readonly light: { readonly r: number; readonly g: number; readonly b: number } }

const answer = (what: unknown) => process.stdout.write(`${JSON.stringify(what)}\n`)
const failure = (error: unknown) => ({ failed: messageOf(error), hint: hintOf(error) })

async function obey(hat: Awaited<ReturnType<typeof openSenseHat>>, order: Order): Promise<unknown> {
  if ('read' in order) {
    const values = await hat.read().catch(() => null)
    return { values, problems: hat.problems, counters: hat.bus.counters }
  }
  if ('block' in order) {
    const into = Buffer.alloc(order.block.length)
    await hat.bus.readBlock(order.block.address, order.block.register, into)
    return { bytes: into.toString('hex') }
  }
  await new AttinyMatrix(hat.bus).show(Frame.of(() => order.light))
  return {}
}

try {
  const hat = await openSenseHat(open, { clock, log: silentLog(), random: () => 0.5 })
  answer({ board: hat.board, keys: hat.keys })
  for await (const line of createInterface(process.stdin))
    answer(await obey(hat, JSON.parse(line) as Order).catch(failure))
  await hat.close()
} catch (error) {
  answer(failure(error))
}
