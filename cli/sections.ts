import { bridgeSections } from '../bridge/config.ts'
import { emulatorSection } from '../emulator/config.ts'
import { phoneSection } from '../phone/config.ts'
import { publisherSection } from '../publisher/config.ts'
import { matrixSection } from '../publisher/matrix/config.ts'
import { homeAssistantSection } from '../src/home-assistant/section.ts'
import { logSection } from '../src/log-section.ts'
import { mqttSection } from '../src/mqtt-section.ts'
import { demoSection } from './demo/config.ts'

/** Every setting there is: one file and one environment serve all commands. */
export const allSections = {
  mqtt: mqttSection,
  publisher: publisherSection,
  matrix: matrixSection,
  home_assistant: homeAssistantSection,
  ...bridgeSections,
  emulator: emulatorSection,
  phone: phoneSection,
  demo: demoSection,
  log: logSection,
} as const
