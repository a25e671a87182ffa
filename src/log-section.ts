import type { Section, ValuesOf } from './setting.ts'

export const logSection = {
  level: {
    kind: 'string',
    default: 'info',
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    doc: 'the least important kind of line to write',
  },
  format: {
    kind: 'string',
    default: 'auto',
    choices: ['auto', 'json', 'pretty'],
    doc: 'auto: for people on a terminal, JSON lines everywhere else',
  },
} as const satisfies Section

export type LogSectionValues = ValuesOf<typeof logSection>
