/** What is used of the package `i2c-bus`; it brings no types of its own. */
declare module 'i2c-bus' {
  export interface PromisifiedBus {
    readByte(address: number, command: number): Promise<number>
    writeByte(address: number, command: number, byte: number): Promise<void>
    readI2cBlock(address: number, command: number, length: number, buffer: Buffer): Promise<{ bytesRead: number }>
    i2cWrite(address: number, length: number, buffer: Buffer): Promise<{ bytesWritten: number }>
    close(): Promise<void>
  }
  export interface I2cBusModule {
    openPromisified(busNumber: number, options?: { forceAccess?: boolean }): Promise<PromisifiedBus>
  }
  const i2c: I2cBusModule
  export default i2c
}
