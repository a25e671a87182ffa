import type { Cable, Step } from './schedule.ts'
import type { World } from './world.ts'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Plays a schedule. Resolves when its last effect is over. */
export async function storm(world: World, steps: readonly Step[]): Promise<void> {
  const began = Date.now()
  const effects: Promise<void>[] = []
  for (const step of steps) {
    // The schedule is the test's subject: nothing else is waited for.
    await sleep(began + step.at - Date.now())
    effects.push(play(world, step))
  }
  await Promise.all(effects)
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
