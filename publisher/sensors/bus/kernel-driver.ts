import { readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** A driver, and the device at the address as sysfs names it: what to write to the driver's `unbind`. */
export interface KernelDriver {
  readonly driver: string
  readonly device: string
}

/** The kernel driver that owns an address, as sysfs tells it; `null` when none does. */
export async function kernelDriver(root: string, busNumber: number, address: number): Promise<KernelDriver | null> {
  const device = `${busNumber}-${address.toString(16).padStart(4, '0')}`
  try {
    return { driver: basename(await readlink(join(root, 'sys/bus/i2c/devices', device, 'driver'))), device }
  } catch {
    return null
  }
}
