/**
 * Proof of owning a channel and of the position in it. Opaque to clients; official examples look like `0_1`: client
 * sequencer, row sequencer [observed]. The emulator adds the channel's incarnation, so that a token from before a drop is
 * known as such [assumed].
 */
export interface ContinuationToken {
  readonly clientSequencer: number
  readonly rowSequencer: number
  readonly incarnation: number
}

export function encodeContinuationToken(token: ContinuationToken): string {
  return `${token.clientSequencer}_${token.rowSequencer}_${token.incarnation.toString(36)}`
}

export function decodeContinuationToken(text: string): ContinuationToken | undefined {
  const [, client, row, incarnation] = /^(\d{1,12})_(\d{1,12})_([0-9a-z]{1,10})$/.exec(text) ?? []
  if (client === undefined || row === undefined || incarnation === undefined) return undefined
  return {
    clientSequencer: Number(client),
    rowSequencer: Number(row),
    incarnation: Number.parseInt(incarnation, 36),
  }
}
