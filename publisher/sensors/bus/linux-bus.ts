import type { I2cBusModule } from 'i2c-bus'
import { SnowhatError } from '../../../src/errors.ts'
import type { I2cBus } from './bus.ts'
import { BusFault, busFaultOf } from './bus-fault.ts'
import { kernelDriver } from './kernel-driver.ts'

export interface LinuxBusOptions {
  /** N of `/dev/i2c-N`. */
  readonly number: number
  /** Use addresses also where a kernel driver owns them: two masters of one chip, so never by itself. */
  readonly force: boolean
  /** Directory that stands for `/`. */
  readonly root: string
}

/** A transfer that moved less than it was asked to counts as noise on the line. */
const EIO = 5

/**
 * A bus of this machine, over the package `i2c-bus`. That is a native addon and optional, so it is loaded only here.
 * Nothing is touched before the first transfer: a bus that is not there shows then.
 */
export async function openLinuxBus(
  options: LinuxBusOptions,
  load: () => Promise<I2cBusModule> = loadI2cBus,
): Promise<I2cBus> {
  const { number, force, root } = options
  const i2c = await load()
  const bus = await i2c.openPromisified(number, { forceAccess: force })

  const explained = async (error: unknown, address: number): Promise<BusFault> => {
    const fault = busFaultOf(error, address)
    const owner = fault.kind === 'claimed' ? await kernelDriver(root, number, address) : null
    if (owner === null) return fault
    // Its module may have another name than the driver, or be built in: unbinding works with each.
    const unbind = `echo ${owner.device} | sudo tee /sys/bus/i2c/drivers/${owner.driver}/unbind`
    const hint = `the driver ${owner.driver} has it: \`${unbind}\` takes it away until the next boot; or set publisher.i2c_force`
    return new BusFault(fault.errno, address, { hint })
  }
  const transfer = async <T>(address: number, act: Promise<T>): Promise<T> => {
    try {
      return await act
    } catch (error) {
      throw await explained(error, address)
    }
  }

  return {
    readByte: (address, register) => transfer(address, bus.readByte(address, register)),
    writeByte: (address, register, value) => transfer(address, bus.writeByte(address, register, value)),
    async readBlock(address, register, into) {
      const { bytesRead } = await transfer(address, bus.readI2cBlock(address, register, into.length, into))
      if (bytesRead !== into.length) throw new BusFault(EIO, address)
    },
    async write(address, bytes) {
      const { bytesWritten } = await transfer(address, bus.i2cWrite(address, bytes.length, bytes))
      if (bytesWritten !== bytes.length) throw new BusFault(EIO, address)
    },
    close: () => bus.close(),
  }
}

async function loadI2cBus(): Promise<I2cBusModule> {
  try {
    return (await import('i2c-bus')).default
  } catch (error) {
    throw new SnowhatError(
      'E_MISSING_PACKAGE',
      'the Sense HAT is read over the package i2c-bus, which is not installed',
      {
        hint: '`sudo apt-get install build-essential python3`, then `npm install i2c-bus@5.2.3`: it is compiled on the Pi',
        cause: error,
      },
    )
  }
}
