import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DARK } from '../../../publisher/matrix/frame.ts'
import { MemoryMatrix } from '../../../publisher/matrix/memory-matrix.ts'
import { Screen, type Showing } from '../../../publisher/matrix/screen.ts'
import type { Status } from '../../../publisher/matrix/signs.ts'
import { textStrip } from '../../../publisher/matrix/text-strip.ts'
import { silentLog } from '../../../src/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** All times of the model are multiples of it: half a column of a message. */
const TICK_MS = 50
const COLUMN_MS = 100
const WAITING_AT_MOST = 5

type Operation =
  | { readonly kind: 'on' | 'off' | 'identify' }
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'flash'; readonly seconds: number }
  | { readonly kind: 'status'; readonly status: Status | undefined }
  | { readonly kind: 'wait'; readonly ticks: number }

/** What has the matrix, told in ticks that are left. */
class Model {
  #on = false
  #status: Status | undefined
  #identifyLeft = 0
  #flashLeft = 0
  /** Ticks of each message, oldest first. */
  #messages: number[] = []
  /** Ticks the first one has scrolled; `undefined` while it waits like the others. */
  #scrolled: number | undefined

  get showing(): Showing {
    if (this.#identifyLeft > 0) return 'identify'
    if (this.#messages.length > 0) return 'message'
    if (this.#flashLeft > 0) return 'flash'
    if (this.#on) return 'light'
    return this.#status === undefined ? 'nothing' : 'status'
  }

  do(operation: Operation): void {
    switch (operation.kind) {
      case 'on':
      case 'off':
        this.#on = operation.kind === 'on'
        this.#flashLeft = 0
        return
      case 'flash':
        this.#flashLeft = (operation.seconds * 1000) / TICK_MS
        return
      case 'identify':
        this.#identifyLeft = 10_000 / TICK_MS
        this.#scrolled = undefined
        return
      case 'message': {
        const steps = textStrip(operation.text).length + 7
        this.#messages.push((steps * COLUMN_MS) / TICK_MS)
        const underWay = this.#scrolled === undefined ? 0 : 1
        if (this.#messages.length - underWay > WAITING_AT_MOST) this.#messages.splice(underWay, 1)
        this.#begin()
        return
      }
      case 'status':
        this.#status = operation.status
        return
      case 'wait':
        for (let tick = 0; tick < operation.ticks; tick++) this.#tick()
    }
  }

  #tick(): void {
    if (this.#flashLeft > 0) this.#flashLeft--
    if (this.#identifyLeft > 0) this.#identifyLeft--
    else if (this.#scrolled !== undefined && ++this.#scrolled === this.#messages[0]) {
      this.#messages.shift()
      this.#scrolled = undefined
    }
    this.#begin()
  }

  #begin(): void {
    if (this.#identifyLeft === 0 && this.#messages.length > 0) this.#scrolled ??= 0
  }
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('on', 'off', 'identify') }),
  fc.record({ kind: fc.constant('message'), text: fc.constantFrom('!', 'Hi', '21 °C') }),
  fc.record({ kind: fc.constant('flash'), seconds: fc.constantFrom(0.5, 2) }),
  fc.record({
    kind: fc.constant('status'),
    status: fc.constantFrom<(Status | undefined)[]>('connected', 'error', undefined),
  }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait'), ticks: fc.integer({ min: 1, max: 150 }) }) },
) as fc.Arbitrary<Operation>

function perform(screen: Screen, operation: Operation): unknown {
  switch (operation.kind) {
    case 'on':
      return screen.light('{"state":"ON"}')
    case 'off':
      return screen.light('{"state":"OFF"}')
    case 'flash':
      return screen.light(JSON.stringify({ state: 'ON', flash: operation.seconds }))
    case 'identify':
      return screen.identify()
    case 'message':
      return screen.message(operation.text)
    case 'status':
      return screen.status(operation.status)
    case 'wait':
      return undefined
  }
}

it('whatever is asked for in whatever order, what goes first has the matrix', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const clock = new ManualClock()
      const matrix = new MemoryMatrix()
      const settings = { rotation: 0, status: true, scrollRate: 1000 / COLUMN_MS, night: undefined } as const
      const screen = new Screen(matrix, settings, { clock, log: silentLog() })
      const model = new Model()
      for (const one of operations) {
        model.do(one)
        perform(screen, one)
        if (one.kind === 'wait') await clock.advance(one.ticks * TICK_MS)
        expect(screen.showing).toBe(model.showing)
      }
      await clock.advance(TICK_MS)
      if (screen.showing === 'nothing') expect(matrix.shown.equals(DARK)).toBe(true)
      if (screen.showing === 'light') expect(matrix.shown.equals(DARK)).toBe(false)
    }),
    { numRuns: 60 },
  )
})
