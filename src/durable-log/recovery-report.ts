/** What opening the log found, for the owner to put into his log. Bytes and offsets are of the named file. */
export interface RecoveryReport {
  readonly segments: number
  readonly records: number
  readonly bytes: number
  readonly firstSequence: number
  readonly nextSequence: number
  /** What the disk has left. */
  readonly freeBytes: number
  /** The last owner has closed it, or it is new. */
  readonly closedProperly: boolean
  /** The end of a write that a crash interrupted: cut off. It was never acknowledged as durable. */
  readonly tornTail: TornTail | undefined
  /** Records that had been acknowledged as durable and cannot be read any more. */
  readonly corrupt: readonly Corruption[]
  /** Numbers for which no file is there, although there are older and newer ones. */
  readonly gaps: readonly Gap[]
  /** Segments a crash interrupted in being made: removed, they never held a record. */
  readonly unfinished: readonly string[]
}

export interface TornTail {
  readonly file: string
  readonly offset: number
  readonly bytes: number
  /**
   * Whole records behind the tear, cut off with it: a disk may write the sectors of one unfinished write in any order.
   * If there are any, the cut bytes are kept.
   */
  readonly recordsBeyond: number
  readonly evidence: string | undefined
}

export interface Corruption {
  readonly file: string
  readonly offset: number
  readonly bytes: number
  /** The first record missing, and how many are; `undefined` when nothing is left to tell. */
  readonly sequence: number
  readonly records: number | undefined
  /** The copy of the file. */
  readonly evidence: string | undefined
  /** Found at an earlier opening already: the segment stays until its records are deleted in their turn. */
  readonly known: boolean
}

export interface Gap {
  readonly sequence: number
  readonly records: number
}
