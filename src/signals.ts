import { constants } from 'node:os'

export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown
  off(signal: NodeJS.Signals, listener: () => void): unknown
  exit(code: number): void
}

/**
 * The first SIGINT or SIGTERM asks for a clean stop: the signal's reason is its name. The second ends the process
 * at once with 130 or 143.
 */
export function stopOnSignals(source: SignalSource = process): { stop: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const listener = () => {
      if (controller.signal.aborted) source.exit(128 + constants.signals[name])
      else controller.abort(name)
    }
    source.on(name, listener)
    return () => source.off(name, listener)
  })
  return {
    stop: controller.signal,
    release: () => {
      for (const off of listeners) off()
    },
  }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
