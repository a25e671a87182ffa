/** The payload of one reading as a publisher sends it, with only what a test is about. */
export function reading(seq: number, over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const stream = String(over.stream ?? 'aaaaaaaa')
  return { uuid: `pi-${stream}-${seq}`, hostname: 'pi', stream, seq, ts: 1_790_000_000, temperature: 21.5, ...over }
}

/** Rows of which only their number matters. */
export function anyRows(count: number): { readonly json: Buffer }[] {
  return Array.from({ length: count }, () => ({ json: Buffer.from('{}') }))
}
