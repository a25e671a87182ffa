import { readFile } from 'node:fs/promises'
import { snowflakeSection, spoolSection } from '../../bridge/config.ts'
import { publisherSection } from '../../publisher/config.ts'
import type { Section } from '../../src/setting.ts'
import type { AllSettings } from '../command.ts'

/** What runs on a machine. */
export type Side = 'pi' | 'bridge'

/** What was asked for, or else what the configuration sets up; without either, what the machine looks like. */
export async function sidesOf(
  settings: AllSettings,
  asked: { readonly pi: boolean; readonly bridge: boolean },
  model: () => Promise<string> = machineModel,
): Promise<ReadonlySet<Side>> {
  const sides = new Set<Side>()
  const isAsked = asked.pi || asked.bridge
  if (isAsked ? asked.pi : isSetUp(settings.publisher, publisherSection)) sides.add('pi')
  const isBridge = isSetUp(settings.snowflake, snowflakeSection) || isSetUp(settings.spool, spoolSection)
  if (isAsked ? asked.bridge : isBridge) sides.add('bridge')
  if (sides.size === 0) sides.add(/^Raspberry Pi/.test(await model()) ? 'pi' : 'bridge')
  return sides
}

function isSetUp(values: Readonly<Record<string, unknown>>, section: Section): boolean {
  return Object.entries(section).some(([key, setting]) => String(values[key]) !== String(setting.default))
}

function machineModel(): Promise<string> {
  return readFile('/proc/device-tree/model', 'utf8').catch(() => '')
}
