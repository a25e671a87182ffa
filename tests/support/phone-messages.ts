/** A phone that moves: what the app sends of it, one message a second. */
export interface Walk {
  readonly deviceId: string
  readonly sessionId: string
  /** Of its first reading, epoch ms. */
  readonly fromMs: number
  /** Readings of each of the two sensors per message. */
  readonly rate: number
}

/** The message of that number, as JSON text: acceleration that swings, more with every twenty seconds, and gravity. */
export function walkMessage({ deviceId, sessionId, fromMs, rate }: Walk, messageId: number): string {
  const payload = Array.from({ length: rate }, (_, i) => {
    const seconds = messageId + i / rate
    const time = `${BigInt(fromMs) * 1_000_000n + BigInt(Math.round(seconds * 1e6)) * 1_000n}`
    const swing = Math.sin(seconds * 12) * (1 + Math.floor(seconds / 20) * 6)
    return [
      `{"name":"accelerometer","time":${time},"values":{"x":${swing},"y":${swing / 2},"z":${-swing / 3}}}`,
      `{"name":"gravity","time":${time},"values":{"x":0,"y":0.5,"z":9.79}}`,
    ]
  })
  return `{"messageId":${messageId},"sessionId":"${sessionId}","deviceId":"${deviceId}","payload":[${payload.flat().join(',')}]}`
}
