import type { Section, ValuesOf } from '../setting.ts'

/** Publisher and bridge share it; the discovery prefix is `mqtt.discovery_prefix`. */
export const homeAssistantSection = {
  enabled: { kind: 'boolean', default: true, doc: 'announce devices and entities to Home Assistant (MQTT discovery)' },
} as const satisfies Section

export type HomeAssistantSettings = ValuesOf<typeof homeAssistantSection>
