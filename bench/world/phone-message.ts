/** One message of the app: a span of one recording. */
export interface PhoneMessage {
  readonly deviceId: string
  readonly sessionId: string
  readonly messageId: number
  /** Of its first reading, epoch ms. */
  readonly atMs: number
  readonly hertz: number
  /** With a reading of `gravity` for each of `accelerometer`, as most phones send them. */
  readonly gravity: boolean
}

/** As JSON text: a second in which its owner walks. Values have as many digits as phones send. */
export function phoneMessage({ deviceId, sessionId, messageId, atMs, hertz, gravity }: PhoneMessage): string {
  const payload: string[] = []
  for (let i = 0; i < hertz; i++) {
    const ns = `${atMs + Math.floor((i * 1000) / hertz)}${String((i * 7919) % 1_000_000).padStart(6, '0')}`
    const swing = (6 * Math.sin((messageId + i / hertz) * 4 * Math.PI)).toFixed(6)
    payload.push(`{"name":"accelerometer","time":${ns},"values":{"z":0.123456,"y":${swing},"x":0.312345},"accuracy":3}`)
    if (gravity)
      payload.push(`{"name":"gravity","time":${ns},"values":{"z":9.791234,"y":0.412345,"x":-0.221234},"accuracy":3}`)
  }
  return `{"messageId":${messageId},"sessionId":"${sessionId}","deviceId":"${deviceId}","payload":[${payload}]}`
}
