import type { Check } from '../check.ts'
import { broken, ok } from '../finding.ts'

const HERE = 'docs/settings.md lists every setting'

/** What was wrong with the configuration was left out, so that the rest can be looked at. */
export const settingsCheck: Check = {
  id: 'configuration.settings',
  async run({ problems, configFile }) {
    if (problems.length > 0)
      return problems.map(({ message, hint }) =>
        broken('configuration.settings', message, {
          why: 'every other command ends with it (78); here it is left out, and the rest looked at',
          fix: hint ?? HERE,
        }),
      )
    const from = configFile === undefined ? 'environment and command line' : `${configFile} and environment`
    return [ok('configuration.settings', `the settings from ${from} are well formed`)]
  },
}
