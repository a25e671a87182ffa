import { freePort } from '../../tests/support/ports.ts'
import { startHelper } from './program.ts'
import type { SinkCount, SinkQuestion } from './sink-program.ts'

/** A Snowpipe that only counts. */
export interface Sink {
  readonly url: string
  readonly pid: number
  /** Connections are refused until it is back. */
  leave(): Promise<void>
  comeBack(): Promise<void>
  count(): Promise<SinkCount>
  stop(): Promise<void>
}

/** `opensPerSecond`: what each pipe takes. */
export async function startSink(opensPerSecond?: number): Promise<Sink> {
  const port = await freePort()
  const helper = startHelper('./sink-program.ts')
  const ask = (question: SinkQuestion) => helper.ask<SinkCount>(question)
  const listen: SinkQuestion = { do: 'listen', port, ...(opensPerSecond !== undefined && { opensPerSecond }) }
  await ask(listen)
  return {
    url: `http://127.0.0.1:${port}`,
    pid: helper.pid,
    leave: async () => {
      await ask({ do: 'leave' })
    },
    comeBack: async () => {
      await ask(listen)
    },
    count: () => ask({ do: 'count' }),
    stop: () => helper.kill('SIGKILL'),
  }
}
