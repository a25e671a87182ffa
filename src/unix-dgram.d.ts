/** What is used of the package `unix-dgram`; it brings no types of its own. */
declare module 'unix-dgram' {
  export interface UnixDatagramSocket {
    bind(path: string): void
    /** The callback is called before `send` returns, with an error when the datagram was not taken. */
    send(message: Buffer, offset: number, length: number, path: string, done: (error?: Error) => void): void
    on(event: 'message', listener: (message: Buffer) => void): this
    on(event: 'error', listener: (error: Error) => void): this
    close(): void
  }
  const dgram: {
    createSocket(type: 'unix_dgram', listener?: (message: Buffer) => void): UnixDatagramSocket
  }
  export default dgram
}
