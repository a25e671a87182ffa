import { messageOf, SnowhatError } from '../src/errors.ts'
import type { Log } from '../src/log.ts'
import type { IncomingMessage, MqttLink } from '../src/mqtt-link.ts'
import type { Topics } from '../src/topics.ts'

/** What is sent by a button. */
export const PRESS = 'PRESS'
/** Characters of a message; more is a mistake, and would take minutes to pass by. */
const LONGEST_MESSAGE = 250

/** What can be told to this Pi. Each throws `E_COMMAND_INVALID` for what cannot be carried out, and has changed nothing then. */
export interface Commanded {
  /** `undefined` where there is no LED matrix. */
  readonly screen: { light(payload: string): unknown; message(text: string): void; identify(): void } | undefined
  interval(which: 'interval' | 'state_interval', payload: string): void
  /** `undefined` where nobody would start it again. */
  readonly restart: (() => void) | undefined
}

/** What has been commanded, for who publishes the state that comes of it. */
export type Thing = 'led' | 'message' | 'interval' | 'state_interval' | 'identify' | 'restart'

export interface CommandsDeps {
  readonly log: Log
  /** It has been carried out, or refused: either way the state in force is to be told. */
  readonly onDone: (thing: Thing) => void
}

/** Commands on `set/<thing>`: checked, carried out, answered by the state that comes of it. */
export class Commands {
  readonly #filter: string
  readonly #topics: Topics
  readonly #hostname: string
  readonly #commanded: Commanded
  readonly #deps: CommandsDeps

  constructor(hostname: string, topics: Topics, commanded: Commanded, deps: CommandsDeps) {
    this.#filter = topics.command(hostname, '+')
    this.#topics = topics
    this.#hostname = hostname
    this.#commanded = commanded
    this.#deps = deps
  }

  async connected(link: Pick<MqttLink, 'subscribe'>): Promise<void> {
    try {
      await link.subscribe([this.#filter])
    } catch (error) {
      const hint = `let this user read ${this.#filter} at the broker (access rules)`
      this.#deps.log.warn({ reason: messageOf(error), hint }, 'commands cannot be heard')
    }
  }

  /** True when the message was a command. */
  message({ topic, payload, retain }: IncomingMessage): boolean {
    const name = this.#topics.thingOfCommand(this.#hostname, topic)
    if (name === undefined) return false
    const { log, onDone } = this.#deps
    if (retain) {
      const hint = 'commands must not be retained: this one would be carried out at each start'
      log.warn({ command: name, hint }, 'a retained command is not carried out')
      return true
    }
    const act = Object.hasOwn(this.#acts, name) ? this.#acts[name as Thing] : undefined
    if (act === undefined) {
      log.warn({ command: name, known: Object.keys(this.#acts) }, 'there is no such command')
      return true
    }
    try {
      act(payload.toString('utf8'))
      log.info({ command: name }, 'a command was carried out')
    } catch (error) {
      const isInvalid = error instanceof SnowhatError && error.code === 'E_COMMAND_INVALID'
      // A bug of ours must not leave the message unacknowledged: it would come again and again.
      if (isInvalid) log.warn({ command: name, reason: error.message }, 'a command is not carried out')
      else log.error({ command: name, err: error }, 'a command could not be carried out')
    }
    onDone(name as Thing)
    return true
  }

  readonly #acts: Readonly<Record<Thing, (payload: string) => void>> = {
    led: (payload) => this.#screen().light(payload),
    message: (payload) => this.#screen().message(textIn(payload)),
    identify: (payload) => pressed(payload, () => this.#screen().identify()),
    restart: (payload) => pressed(payload, () => this.#restart()),
    interval: (payload) => this.#commanded.interval('interval', payload),
    state_interval: (payload) => this.#commanded.interval('state_interval', payload),
  }

  #restart(): void {
    const { restart } = this.#commanded
    if (restart === undefined) throw invalid('this program does not restart by itself')
    restart()
  }

  #screen(): NonNullable<Commanded['screen']> {
    const { screen } = this.#commanded
    if (screen === undefined) throw invalid('this Pi has no LED matrix')
    return screen
  }
}

function pressed(payload: string, act: () => void): void {
  if (payload !== PRESS) throw invalid(`it must be the word ${PRESS}`)
  act()
}

/** `{"text": …}`, as Home Assistant sends it, or the text itself. */
function textIn(payload: string): string {
  const text = textOf(payload)
  if (text.trim() === '') throw invalid('a message must have a text')
  if (text.length > LONGEST_MESSAGE) throw invalid(`a message must have at most ${LONGEST_MESSAGE} characters`)
  return text
}

function textOf(payload: string): string {
  let value: unknown
  try {
    value = JSON.parse(payload)
  } catch {
    return payload
  }
  if (typeof value !== 'object' || value === null) return payload
  const { text } = value as { text?: unknown }
  if (typeof text !== 'string') throw invalid('it must be a text, or an object with one under "text"')
  return text
}

function invalid(message: string): SnowhatError {
  return new SnowhatError('E_COMMAND_INVALID', message)
}
