import { readFile, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { settingPaths } from '../../../src/config.ts'
import { allSections } from '../../sections.ts'
import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import { type Finding, ok, warn } from '../finding.ts'

/** Read or write, of the group or of all. */
const OTHERS = 0o077
const OF_ALL = 0o007

/** Files with secrets, the configuration itself where it holds one: who else may read them. */
export const secretFilesCheck: Check = {
  id: 'configuration.secrets',
  async run(examination) {
    const files = await filesWithSecrets(examination)
    const findings = (await Promise.all(files.map(judged))).filter((finding) => finding !== undefined)
    if (findings.length > 0) return findings
    const what = files.length === 0 ? 'no file with a secret is named' : `${files.join(', ')}: nobody else may read`
    return [ok('configuration.secrets', what)]
  },
}

async function judged(file: string): Promise<Finding | undefined> {
  // One that is not there or must not be read is told of with the settings.
  const found = await stat(file).catch(() => undefined)
  if (found === undefined || (found.mode & OTHERS) === 0) return undefined
  // Docker and systemd hand secrets over in files of root that are read by a group.
  const isOwn = found.uid === userInfo().uid
  if (!isOwn && (found.mode & OF_ALL) === 0) return undefined
  return warn('configuration.secrets', `${file} holds a secret, and others on this machine may read it`, {
    why: `its mode is ${(found.mode & 0o777).toString(8)}`,
    fix: `chmod 600 ${file}`,
  })
}

async function filesWithSecrets({ settings, configFile }: Examination): Promise<string[]> {
  const values = settings as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  const files: string[] = []
  const inFile: unknown[] = []
  for (const [path, setting] of settingPaths(allSections)) {
    const [section = '', key = ''] = path.split('.')
    const value = values[section]?.[key]
    if (typeof value !== 'string' || value === '') continue
    if (path.endsWith('_file') && settingPaths(allSections).get(path.slice(0, -'_file'.length))?.secret)
      files.push(value)
    else if (path === 'mqtt.key_file') files.push(value)
    else if (setting.secret && values[section]?.[`${key}_file`] === '') inFile.push(value)
  }
  if (configFile === undefined || inFile.length === 0) return files
  const text = await readFile(configFile, 'utf8').catch(() => '')
  // Only what is written there: the environment may have given the secret.
  return inFile.some((value) => typeof value === 'string' && text.includes(value)) ? [configFile, ...files] : files
}
