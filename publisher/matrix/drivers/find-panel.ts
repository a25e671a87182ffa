import { access, constants } from 'node:fs/promises'
import { hex } from '../../sensors/bus/bus.ts'
import { busFaultOf } from '../../sensors/bus/bus-fault.ts'
import type { SharedBus } from '../../sensors/bus/shared-bus.ts'
import { IDENTITIES } from '../../sensors/chips/identity.ts'
import { FRAMEBUFFER, findNode, type KernelDevice, nodeFault, STICK } from './device-node.ts'

/** How a part of the panel can be reached. */
export interface Way<Via extends string> {
  readonly via: Via | 'i2c'
  /** The device node, or the address on the bus. */
  readonly where: string
  /** What to do before it can be used; `null` when all is well. */
  readonly hint: string | null
}

/** What a person sees and touches of the board, and how it is reached; `null` where it is not. */
export interface PanelWays {
  readonly leds: Way<'framebuffer'> | null
  readonly joystick: Way<'evdev'> | null
  /** Why the microcontroller of both is not reached over the bus; `null` when it is, or nobody needs it. */
  readonly problem: string | null
  readonly hint: string | null
}

/**
 * Each by its kernel driver where there is one, otherwise over the microcontroller on the bus: two masters of it would
 * spoil each other's frames. Changes nothing. Never rejects.
 */
export async function findPanel(bus: SharedBus, root: string): Promise<PanelWays> {
  const [framebuffer, stick] = await Promise.all([findNode(root, FRAMEBUFFER), findNode(root, STICK)])
  const needed = framebuffer === undefined || stick === undefined
  const { direct, problem, hint } = needed ? await microcontroller(bus) : { direct: null, problem: null, hint: null }
  return {
    leds:
      framebuffer === undefined
        ? direct
        : { via: 'framebuffer', where: framebuffer, hint: await forbidden(FRAMEBUFFER, framebuffer, WRITE) },
    joystick: stick === undefined ? direct : { via: 'evdev', where: stick, hint: await forbidden(STICK, stick, READ) },
    problem,
    hint,
  }
}

const READ = constants.R_OK
const WRITE = constants.R_OK | constants.W_OK

async function forbidden(device: KernelDevice, node: string, mode: number): Promise<string | null> {
  try {
    await access(node, mode)
    return null
  } catch (error) {
    return nodeFault(device, error).hint ?? null
  }
}

async function microcontroller(
  bus: SharedBus,
): Promise<{ direct: Way<never> | null; problem: string | null; hint: string | null }> {
  const { addresses, register, nameOf } = IDENTITIES.panel
  const [address] = addresses
  try {
    const value = await bus.readByte(address, register)
    if (nameOf(value) !== undefined)
      return { direct: { via: 'i2c', where: hex(address), hint: null }, problem: null, hint: null }
    return { direct: null, problem: `another chip is at ${hex(address)}: it says it is ${hex(value)}`, hint: null }
  } catch (error) {
    const { kind, message, hint } = busFaultOf(error, address)
    if (kind !== 'claimed') return { direct: null, problem: message, hint: hint ?? null }
    return {
      direct: null,
      problem: `a kernel driver owns ${hex(address)} and does not offer all of it`,
      hint: 'load the modules of LEDs and joystick: `sudo modprobe rpi-sense-fb sensehat-joystick`',
    }
  }
}
