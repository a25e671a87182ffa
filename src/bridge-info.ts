/** What a bridge says of itself: retained on `bridge/info`, and in its answers to requests. */
export interface BridgeInfo {
  /** The owner in its offset tokens, 4 of [0-9a-z]; another one after its spool was lost. */
  readonly instance: string
  readonly version: string
  /** Name of the machine, or of the container. */
  readonly host: string
  /** ISO 8601 UTC. */
  readonly started_at: string
}

/** The info in a message; `undefined` when it names no instance. What else is missing is empty. */
export function parseBridgeInfo(payload: Uint8Array): BridgeInfo | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const text = (key: keyof BridgeInfo) => {
    const field = (value as Partial<Record<keyof BridgeInfo, unknown>>)[key]
    return typeof field === 'string' ? field : ''
  }
  if (text('instance') === '') return undefined
  return { instance: text('instance'), version: text('version'), host: text('host'), started_at: text('started_at') }
}

/** The bridge's instance id in its retained `info`; `undefined` when the payload is not one. */
export function instanceIn(payload: Uint8Array): string | undefined {
  return parseBridgeInfo(payload)?.instance
}

/** For a person who looks for it. */
export function describeBridge({ instance, version, host, started_at }: BridgeInfo): string {
  return [
    `instance ${instance}`,
    ...(host === '' ? [] : [`on ${host}`]),
    ...(version === '' ? [] : [`version ${version}`]),
    ...(started_at === '' ? [] : [`since ${started_at}`]),
  ].join(', ')
}
