import { type BridgeSettings, bridgeSections, type SnowflakeSettings } from '../../bridge/config.ts'
import { homeAssistantSection } from '../../src/home-assistant/section.ts'
import type { Section, ValuesOf } from '../../src/setting.ts'

export function defaultsOf<S extends Section>(section: S): ValuesOf<S> {
  return Object.fromEntries(Object.entries(section).map(([key, setting]) => [key, setting.default])) as ValuesOf<S>
}

/** The bridge's settings as nobody has touched them. */
export const defaultSettings: BridgeSettings = {
  bridge: defaultsOf(bridgeSections.bridge),
  snowflake: defaultsOf(bridgeSections.snowflake),
  phones: defaultsOf(bridgeSections.phones),
  routes: defaultsOf(bridgeSections.routes),
  batch: defaultsOf(bridgeSections.batch),
  spool: defaultsOf(bridgeSections.spool),
  http: defaultsOf(bridgeSections.http),
  cost: defaultsOf(bridgeSections.cost),
  home_assistant: defaultsOf(homeAssistantSection),
}

export function snowflakeSettings(over: Partial<SnowflakeSettings> = {}): SnowflakeSettings {
  return { ...defaultSettings.snowflake, ...over }
}
