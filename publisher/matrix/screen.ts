import type { Clock } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import { dimmed, FULL_BRIGHTNESS, WHITE } from './colour.ts'
import type { ScreenSettings } from './config.ts'
import { EFFECTS, type EffectValues } from './effects.ts'
import { DARK, type Frame } from './frame.ts'
import type { LedMatrix } from './led-matrix.ts'
import { changed, type Flash, parseLightCommand } from './light-command.ts'
import { LIGHT_AT_START, type LightState } from './light-state.ts'
import { MessageQueue, type ScrollMoment } from './message-queue.ts'
import { isNight, localMinuteOfDay, type Night } from './night.ts'
import { Painter, type Picture } from './painter.ts'
import { identifyFrame, type Status, statusFrame } from './signs.ts'
import { textStrip } from './text-strip.ts'

export interface ScreenDeps {
  readonly clock: Clock
  readonly log: Log
  /** Another one than that of the machine's time zone only in tests. */
  readonly minuteOfDay?: (epochMs: number) => number
}

/** What has the matrix; each goes before those after it. */
export type Showing = 'identify' | 'message' | 'flash' | 'light' | 'status' | 'nothing'

interface Timed {
  readonly since: number
  readonly until: number
}

const IDENTIFY_MS = 10_000
/** Between two frames of what moves: 10 a second leave the bus to the sensors (recommended for this board). */
const MOTION_MS = 100
/** Light and dark in turn, twice a second: see `identifyFrame`. */
const FLASH_PHASE_MS = 250
const MINUTE_MS = 60_000

/** Decides what is on the matrix, of all that wants to be there. Nothing but `light` throws, and `close` always comes to an end. */
export class Screen {
  readonly #settings: ScreenSettings
  readonly #clock: Clock
  readonly #log: Log
  readonly #minuteOfDay: (epochMs: number) => number
  readonly #painter: Painter
  readonly #messages: MessageQueue
  #light = LIGHT_AT_START
  #effectSince = 0
  #flash: (Flash & Timed) | undefined
  #identify: Timed | undefined
  #status: Status | undefined
  #values: EffectValues = { temperature: null, pitch: null, roll: null }
  #showing: Showing = 'nothing'

  /** Takes the matrix over, dark at first: at power-up it shows a rainbow of its own. */
  constructor(matrix: LedMatrix, settings: ScreenSettings, deps: ScreenDeps) {
    this.#settings = settings
    this.#clock = deps.clock
    this.#log = deps.log
    this.#minuteOfDay = deps.minuteOfDay ?? localMinuteOfDay
    this.#messages = new MessageQueue(settings.scrollRate)
    this.#painter = new Painter(matrix, (now) => this.#look(now), deps)
    this.#painter.redraw()
  }

  get lightState(): LightState {
    return this.#light
  }

  get showing(): Showing {
    return this.#showing
  }

  /** A sentence for people; `undefined` while all is well. */
  get problem(): string | undefined {
    return this.#painter.failing ? 'the LED matrix does not answer' : undefined
  }

  /** Frames the matrix did not take, and messages given up because too many waited. */
  get counts(): { readonly framesFailed: number; readonly messagesDropped: number } {
    return { framesFailed: this.#painter.failures, messagesDropped: this.#messages.dropped }
  }

  /** Home Assistant's command as it came; gives the light as it is then. Throws `E_COMMAND_INVALID`, and nothing has changed. */
  light(payload: string): LightState {
    const now = this.#clock.monotonic()
    const { state, flash } = changed(this.#light, parseLightCommand(payload))
    const isOther = state.effect !== this.#light.effect || state.on !== this.#light.on
    if (isOther) this.#effectSince = now
    this.#light = state
    this.#flash = flash && { ...flash, since: now, until: now + flash.ms }
    this.#painter.redraw()
    return state
  }

  /** Scrolls a text once, after those that came before. */
  message(text: string): void {
    const strip = textStrip(text)
    if (strip.length === 0) return
    if (!this.#messages.add(strip)) this.#log.warn('too many messages wait for the LED matrix: the oldest is given up')
    this.#painter.redraw()
  }

  /** Shows for some seconds which Pi this is. */
  identify(): void {
    const now = this.#clock.monotonic()
    this.#identify = { since: now, until: now + IDENTIFY_MS }
    this.#painter.redraw()
  }

  /** How the readings fare; seen while the light is off, if the settings want it. */
  status(status: Status | undefined): void {
    this.#status = status
    this.#painter.redraw()
  }

  /** What the effects show from now on: a reading. */
  values({ temperature, pitch, roll }: EffectValues): void {
    this.#values = { temperature, pitch, roll }
    this.#painter.redraw()
  }

  /** The matrix is dark then. */
  close(): Promise<void> {
    return this.#painter.close()
  }

  #look(now: number): Picture {
    const [showing, { frame, againMs }] = this.#first(now, this.#nightNow())
    this.#showing = showing
    return { frame: frame.turned(this.#settings.rotation), againMs: soonest(againMs, this.#toNextMinute()) }
  }

  /** What goes before all else now. Identify is as bright at night: somebody looks for it. */
  #first(now: number, night: Night | undefined): [Showing, Picture] {
    const cap = night?.brightness ?? FULL_BRIGHTNESS
    if (this.#identify !== undefined && now < this.#identify.until) {
      this.#messages.interrupt()
      return ['identify', moving(identifyFrame(now - this.#identify.since), this.#identify.until - now)]
    }
    const message = this.#messages.at(now)
    if (message !== undefined) return ['message', this.#scrolled(message, cap)]
    if (this.#flash !== undefined && now < this.#flash.until) return ['flash', this.#flashing(this.#flash, now, cap)]
    if (this.#light.on) return ['light', this.#lit(this.#light, now - this.#effectSince, cap)]
    if (this.#settings.status && night === undefined && this.#status !== undefined)
      return ['status', still(statusFrame(this.#status))]
    return ['nothing', still(DARK)]
  }

  #scrolled(message: ScrollMoment, cap: number): Picture {
    const colour = dimmed(WHITE, Math.min(cap, this.#light.brightness))
    return { frame: message.draw(colour), againMs: message.againMs }
  }

  #flashing({ look, since, until }: Flash & Timed, now: number, cap: number): Picture {
    const elapsed = now - since
    const phase = Math.floor(elapsed / FLASH_PHASE_MS)
    const phaseLeft = Math.min(until - now, (phase + 1) * FLASH_PHASE_MS - elapsed)
    if (phase % 2 === 1) return { frame: DARK, againMs: phaseLeft }
    const { frame, againMs } = this.#lit(look, elapsed, cap)
    return { frame, againMs: soonest(againMs, phaseLeft) }
  }

  #lit({ effect, colour, brightness }: LightState, elapsedMs: number, cap: number): Picture {
    const { animated, draw } = EFFECTS[effect]
    const input = { elapsedMs, colour, brightness: Math.min(cap, brightness), values: this.#values }
    const frame = draw({ ...input, rotation: this.#settings.rotation })
    return animated ? moving(frame) : still(frame)
  }

  #nightNow(): Night | undefined {
    const { night } = this.#settings
    return night && isNight(night, this.#minuteOfDay(this.#clock.now())) ? night : undefined
  }

  /** Where there is a night it is looked for each minute: the wall clock may be set at any time. */
  #toNextMinute(): number | undefined {
    return this.#settings.night && MINUTE_MS - (this.#clock.now() % MINUTE_MS)
  }
}

function still(frame: Frame): Picture {
  return { frame, againMs: undefined }
}

function moving(frame: Frame, atMostMs = MOTION_MS): Picture {
  return { frame, againMs: Math.min(MOTION_MS, atMostMs) }
}

function soonest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}
