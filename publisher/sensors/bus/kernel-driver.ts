import { readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** Name of the kernel driver that owns an address, as sysfs tells it; `null` when none does. */
export async function kernelDriver(root: string, busNumber: number, address: number): Promise<string | null> {
  const device = `${busNumber}-${address.toString(16).padStart(4, '0')}`
  try {
    return basename(await readlink(join(root, 'sys/bus/i2c/devices', device, 'driver')))
  } catch {
    return null
  }
}
