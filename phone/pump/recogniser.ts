import type { Recognition } from '../recognition/recognition.ts'

/** What makes activities of messages: what comes out depends on the calls and their order alone. */
export type Recogniser = Pick<Recognition, 'process' | 'flush' | 'snapshot' | 'use'>
