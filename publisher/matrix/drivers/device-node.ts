import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, SnowhatError, systemCode } from '../../../src/errors.ts'

/** A device the kernel drives: where sysfs lists its kind, what it is called there, and who may use it. */
export interface KernelDevice {
  /** For people. */
  readonly what: string
  /** Directory of its kind, below the root. */
  readonly listed: string
  /** Entries of that directory; the device node bears the same name. */
  readonly entry: RegExp
  /** Within an entry: the file that holds the name. */
  readonly nameFile: string
  readonly name: string
  /** Directory of the device nodes, below the root. */
  readonly nodes: string
  /** Group of those who may use it. */
  readonly group: string
}

/** Names from the sources of the kernel drivers; groups as Raspberry Pi OS has them. */
export const FRAMEBUFFER: KernelDevice = {
  what: 'the LED matrix',
  listed: 'sys/class/graphics',
  entry: /^fb\d+$/,
  nameFile: 'name',
  name: 'RPi-Sense FB',
  nodes: 'dev',
  group: 'video',
}

export const STICK: KernelDevice = {
  what: 'the joystick',
  listed: 'sys/class/input',
  entry: /^event\d+$/,
  nameFile: 'device/name',
  name: 'Raspberry Pi Sense HAT Joystick',
  nodes: 'dev/input',
  group: 'input',
}

/** Path of the device's node; `undefined` while no driver offers it. The number in it is another one at each start. */
export async function findNode(root: string, device: KernelDevice): Promise<string | undefined> {
  const listed = join(root, device.listed)
  const entries = await readdir(listed).catch(() => [])
  for (const entry of entries.filter((one) => device.entry.test(one))) {
    const name = await readFile(join(listed, entry, device.nameFile), 'utf8').catch(() => '')
    if (name.trim() === device.name) return join(root, device.nodes, entry)
  }
  return undefined
}

/** As `findNode`, for a device that was there. */
export async function findNodeAgain(root: string, device: KernelDevice): Promise<string> {
  const node = await findNode(root, device)
  if (node === undefined) throw gone(device)
  return node
}

/** What finding or using the device's node has failed with, for people. */
export function nodeFault(device: KernelDevice, error: unknown): SnowhatError {
  if (error instanceof SnowhatError) return error
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return new SnowhatError('E_DEVICE', `this user may not use ${device.what}`, {
        hint: `add the user to the group ${device.group}: \`sudo usermod -aG ${device.group} USER\`, then sign in again`,
        cause: error,
      })
    case 'ENOENT':
    case 'ENODEV':
    case 'ENXIO':
      return gone(device, error)
    default:
      return new SnowhatError('E_DEVICE', `${device.what} fails: ${messageOf(error)}`, {
        retryable: true,
        cause: error,
      })
  }
}

function gone(device: KernelDevice, cause?: unknown): SnowhatError {
  return new SnowhatError('E_DEVICE', `the kernel offers ${device.what} no more`, {
    hint: 'its driver was unloaded, or the board was taken off; it is used again when it is back',
    retryable: true,
    cause,
  })
}
