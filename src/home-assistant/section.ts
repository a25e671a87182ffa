import type { Section, ValuesOf } from '../setting.ts'

/** Publisher and bridge share it; the discovery prefix is `mqtt.discovery_prefix`. */
export const homeAssistantSection = {
  enabled: {
    kind: 'boolean',
    default: true,
    doc: 'announce devices to Home Assistant; off, readings and their state are published all the same',
  },
} as const satisfies Section

export type HomeAssistantSettings = ValuesOf<typeof homeAssistantSection>
