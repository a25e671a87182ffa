import { expect, it } from 'vitest'
import { type AppendDeps, appendBatch } from '../../../bridge/lanes/append-batch.ts'
import { AppendPace } from '../../../bridge/lanes/append-pace.ts'
import type { FrozenBatch } from '../../../bridge/lanes/batch.ts'
import { Roadblocks } from '../../../bridge/lanes/roadblocks.ts'
import { Trouble } from '../../../bridge/lanes/trouble.ts'
import type { Outcome, Snowpipe } from '../../../bridge/snowpipe/client.ts'
import { Gate } from '../../../src/gate.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { pipeNamed } from '../../support/pipes.ts'

it('of lanes that are due at once no more batches are frozen than can be under way', async () => {
  const clock = new ManualClock()
  const answers: (() => void)[] = []
  const snowpipe = {
    append: () =>
      new Promise<Outcome<{ continuationToken: string }>>((resolve) => {
        answers.push(() => resolve({ verdict: 'ok', value: { continuationToken: 'next' } }))
      }),
  } as unknown as Snowpipe
  const log = silentLog()
  const trouble = new Trouble(log, clock)
  const deps: AppendDeps = {
    clock,
    random: () => 0.5,
    snowpipe,
    appends: new Gate(2),
    trouble,
    roadblocks: new Roadblocks(60_000, clock),
  }
  let frozen = 0
  const ends = Array.from({ length: 5 }, (_, i) =>
    appendBatch(
      async () => {
        frozen++
        return {} as FrozenBatch
      },
      { pipe: pipeNamed('P'), channel: `pi-${i}` },
      deps,
      new AppendPace(),
      async () => undefined,
      new AbortController().signal,
    ),
  )
  await clock.advance(1)
  expect(frozen).toBe(2)
  for (let i = 0; i < 5; i++) {
    answers.shift()?.()
    await clock.advance(1)
  }
  expect(frozen).toBe(5)
  expect((await Promise.all(ends)).map((end) => end?.kind)).toEqual(Array(5).fill('appended'))
})
