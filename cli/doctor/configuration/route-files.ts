import { ownRoutes, routesOf } from '../../../bridge/routes/routes.ts'
import { counted } from '../../../src/counted.ts'
import { hintOf, messageOf } from '../../../src/errors.ts'
import type { Check } from '../check.ts'
import { broken, ok, skipped } from '../finding.ts'

/** Read as the bridge reads them at its start. */
export const routeFilesCheck: Check = {
  id: 'configuration.routes',
  side: 'bridge',
  gives: ['ownRoutes'],
  async run(examination) {
    const { settings, topics } = examination
    if (settings.routes.files.length === 0) {
      examination.give('ownRoutes', [])
      return [skipped('configuration.routes', "no route of one's own is configured")]
    }
    try {
      const routes = await ownRoutes(settings)
      await routesOf(settings, topics)
      examination.give('ownRoutes', routes)
      const names = routes.map(({ name, topic }) => `${name} (${topic})`).join(', ')
      return [ok('configuration.routes', `${counted(routes.length, 'route')}: ${names}`)]
    } catch (error) {
      const fix = hintOf(error) ?? 'docs/routes.md has an example'
      return [broken('configuration.routes', messageOf(error), { why: 'the bridge does not start with it', fix })]
    }
  },
}
