import { VERSION } from '../../../src/version.ts'
import type { Check } from '../check.ts'
import { broken, ok } from '../finding.ts'

/** `engines` of package.json. */
const LEAST = [20, 19] as const

export const versionsCheck: Check = {
  id: 'machine.versions',
  async run() {
    const { version, arch, platform } = process
    const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
    const what = `snowhat ${VERSION}, Node ${version}, ${platform} ${arch}`
    if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return [ok('machine.versions', what)]
    const fix = `install Node ${LEAST.join('.')} or later`
    return [broken('machine.versions', what, { why: `Snowhat wants Node ${LEAST.join('.')}`, fix })]
  },
}
