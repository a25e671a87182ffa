import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { messageOf } from './errors.ts'
import type { Log } from './log.ts'

/** Takes lines `NAME=value` to who started us. Never throws: a service manager that does not hear is no reason to stop. */
export interface NotifyWay {
  send(lines: readonly string[]): Promise<void>
  close(): void
}

/** A program that takes longer has met a service manager that does not read. */
const PROGRAM_PATIENCE_MS = 5_000

/**
 * The way to the socket of `NOTIFY_SOCKET` (sd_notify(3)): datagrams on a Unix socket, which Node itself cannot send.
 *
 * The addon `unix-dgram` sends them where it is compiled. Without a compiler there is none, and an abstract socket (`@name`)
 * it cannot reach: it takes the name for text that ends at its first zero byte [observed, unix-dgram 2.0.7]. Then it is
 * systemd's own program `systemd-notify`, for all messages and not for READY alone: a unit with a watchdog would be killed
 * without them. That is a process every minute, and the unit must let children speak (`NotifyAccess=all`).
 */
export async function openNotifyWay(socket: string, log: Log): Promise<NotifyWay> {
  if (socket.startsWith('/')) {
    const way = await overAddon(socket, log)
    if (way !== undefined) return way
  }
  return overProgram(log)
}

async function overAddon(path: string, log: Log): Promise<NotifyWay | undefined> {
  try {
    const socket = (await import('unix-dgram')).default.createSocket('unix_dgram')
    const failed = (error: Error) => log.debug({ reason: messageOf(error) }, 'systemd was not told')
    socket.on('error', failed)
    return {
      send: (lines) =>
        new Promise((resolve) => {
          const message = Buffer.from(lines.join('\n'))
          socket.send(message, 0, message.length, path, (error) => {
            if (error !== undefined) failed(error)
            resolve()
          })
        }),
      close: () => socket.close(),
    }
  } catch (error) {
    log.debug({ reason: messageOf(error) }, 'unix-dgram is not there: systemd is told by systemd-notify')
    return undefined
  }
}

function overProgram(log: Log): NotifyWay {
  const run = promisify(execFile)
  let failed = false
  const tell = async (lines: readonly string[]) => {
    try {
      await run('systemd-notify', [...lines], { timeout: PROGRAM_PATIENCE_MS })
    } catch (error) {
      if (!failed) log.debug({ reason: messageOf(error) }, 'systemd was not told')
      failed = true
    }
  }
  // One after the other: READY must not be overtaken by what comes after it.
  let last: Promise<void> = Promise.resolve()
  return {
    send: (lines) => {
      last = last.then(() => tell(lines))
      return last
    },
    close: () => undefined,
  }
}
