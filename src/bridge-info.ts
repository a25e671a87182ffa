/** The bridge's instance id in its retained `info`; `undefined` when the payload is not one. */
export function instanceIn(payload: Uint8Array): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('instance' in value)) return undefined
  return typeof value.instance === 'string' ? value.instance : undefined
}
