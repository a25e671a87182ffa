import type { I2cBus } from '../../publisher/sensors/bus/bus.ts'

/** A bus and how long its transfers would take on a real one. */
export interface TimedBus extends I2cBus {
  readonly milliseconds: number
  readonly transfers: number
}

const HERTZ = 100_000
/** Eight bits and an acknowledgement. */
const BITS = 9
/** Start, repeated start, stop: about one bit each. */
const CONDITIONS = 3

/** I2C as the standard has it: the address goes out before the register and, to read, once more; the kernel's own time is not in it. */
export function timed(bus: I2cBus): TimedBus {
  let bits = 0
  let transfers = 0
  const count = (bytes: number) => {
    transfers++
    bits += bytes * BITS + CONDITIONS
  }
  return {
    get milliseconds() {
      return (bits / HERTZ) * 1000
    },
    get transfers() {
      return transfers
    },
    readByte: (address, register) => {
      count(4)
      return bus.readByte(address, register)
    },
    writeByte: (address, register, value) => {
      count(3)
      return bus.writeByte(address, register, value)
    },
    readBlock: (address, register, into) => {
      count(3 + into.length)
      return bus.readBlock(address, register, into)
    },
    write: (address, bytes) => {
      count(1 + bytes.length)
      return bus.write(address, bytes)
    },
    close: () => bus.close(),
  }
}
