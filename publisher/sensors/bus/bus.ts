/** The longest block one SMBus transfer carries. */
export const LONGEST_BLOCK = 32

/**
 * All a driver sees of an I2C bus. Addresses have 7 bits. `register` goes out as it is: some chips want its
 * highest bit set to step through a block, others do not. Every call is one transfer and rejects with a `BusFault`.
 */
export interface I2cBus {
  readByte(address: number, register: number): Promise<number>
  writeByte(address: number, register: number, value: number): Promise<void>
  /** Fills `into`, of at most 32 bytes, in one transfer. The buffer is the caller's, so that it can be used again. */
  readBlock(address: number, register: number, into: Buffer): Promise<void>
  /** Writes bytes as they are, the register being the first: frames longer than a block. */
  write(address: number, bytes: Buffer): Promise<void>
  close(): Promise<void>
}

/** `0x5f`, as `i2cdetect` and data sheets write it. */
export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}
