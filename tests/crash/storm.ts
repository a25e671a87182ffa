import { eventually } from '../support/eventually.ts'
import { badDay } from './faults.ts'
import type { Cable, Step } from './schedule.ts'
import type { World } from './world.ts'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Plays a schedule, slower where programs take longer to start. Resolves when its last effect is over. */
export async function storm(world: World, steps: readonly Step[]): Promise<void> {
  const began = Date.now()
  if (world.slowness > 1) world.note(`the schedule is stretched by ${world.slowness.toFixed(1)}`)
  const effects: Promise<void>[] = []
  for (const step of steps) {
    // The schedule is the test's subject: nothing else is waited for.
    await sleep(began + step.at * world.slowness - Date.now())
    effects.push(play(world, step))
  }
  await Promise.all(effects)
}

/**
 * Without kills, until each kind of thing has been done again: where programs hardly come up between two kills little is
 * under way that could be lost.
 */
export async function untilItHasBitten(world: World): Promise<void> {
  await Promise.all([world.emulator, world.bridge, ...world.pis.values()].map((part) => part.up()))
  const often = { operation: 'append', probability: 0.3, seed: 1, action: 'invalidate-channel' }
  await world.faults([...badDay(world.numbers), often])
  let cutAt = Date.now()
  const bitten = () => {
    if (world.tally.redelivered === 0 && Date.now() > cutAt + 3_000) {
      world.note('the cable pis is cut')
      world.cables.pis.cut()
      cutAt = Date.now()
    }
    const { redelivered, replayed } = world.tally
    return redelivered > 0 && replayed > 0 && world.tally.staleReopens(world.bridge.log) > 0
  }
  await eventually('readings redelivered, rows replayed after the committed token, stale reopens', bitten, 60_000)
}

async function play(world: World, step: Step): Promise<void> {
  switch (step.act) {
    case 'kill':
      return kill(world, step)
    case 'cut':
      world.note(`the cable ${step.cable} is cut`)
      return world.cables[step.cable].cut()
    case 'unplug':
      world.note(`the cable ${step.cable} is unplugged for ${Math.round(step.forMs)} ms`)
      return unplug(world, step.cable, step.forMs)
    case 'save':
      world.note('the broker writes down what it holds')
      return world.broker.save()
  }
}

async function kill(world: World, { who, downMs, wipe }: Extract<Step, { act: 'kill' }>): Promise<void> {
  world.note(`kill ${who}${wipe ? ', its disk is lost' : ''}, down for ${Math.round(downMs)} ms`)
  if (who === 'broker') {
    await world.broker.kill('SIGKILL')
    if (wipe) world.broker.wipe()
    await sleep(downMs)
    return world.broker.start()
  }
  const part = who === 'bridge' ? world.bridge : who === 'emulator' ? world.emulator : world.pis.get(who)
  if (part === undefined) throw new Error(`there is no ${who}`)
  await part.kill()
  if (wipe) world.wipeSpool()
  await sleep(downMs)
  if (who === 'emulator') world.startEmulator()
  else part.start()
}

/** Nothing passes and nobody is told; in the end what was connected finds out. */
export async function unplug(world: World, cable: Cable, forMs: number): Promise<void> {
  const one = world.cables[cable]
  one.freeze()
  one.refuse(true)
  await sleep(forMs)
  one.refuse(false)
  one.cut()
}
