import { describe, expect, it } from 'vitest'
import { allSections } from '../../cli/sections.ts'
import { settingPaths } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'

function logged(act: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  act(createLog('test', { level: 'trace', format: 'json' }, { write: (line) => void lines.push(line) }))
  return lines.join('')
}

const secrets = [...settingPaths(allSections)].filter(([, setting]) => setting.secret).map(([path]) => path)

describe('a log', () => {
  it('is JSON lines with the sentence under msg and the rest as fields', () => {
    expect(JSON.parse(logged((log) => log.info({ device: 'pi', rows: 3 }, 'sent')))).toMatchObject({
      app: 'test',
      msg: 'sent',
      device: 'pi',
      rows: 3,
    })
  })

  it.each(['password', 'private_key', 'private_key_passphrase', 'passphrase', 'pat', 'token', 'authorization'])(
    'never holds what stands under %s, on its own or inside another field',
    (key) => {
      const text = logged((log) => {
        log.info({ [key]: 'hunter2' }, 'flat')
        log.info({ mqtt: { [key]: 'hunter2' } }, 'nested')
        log.child({ [key]: 'hunter2' }).info('child')
      })
      expect(text).not.toContain('hunter2')
      expect(text.match(/\[secret\]/g)).toHaveLength(3)
    },
  )

  it.each(secrets)('never holds the setting %s, even when all settings are logged', (path) => {
    const [section = '', key = ''] = path.split('.')
    const text = logged((log) => {
      log.info({ [section]: { [key]: 'hunter2' } }, 'the settings as fields')
      log.info({ settings: { [section]: { [key]: 'hunter2' } } }, 'the settings in a field')
    })
    expect(text).not.toContain('hunter2')
  })

  it.each(['url', 'mqtt', 'target'])('shows an address under %s without the user and the password in it', (key) => {
    const text = logged((log) => {
      log.info({ [key]: 'mqtt://pi:hunter2@broker:1883' }, 'both')
      log.info({ [key]: 'mqtt://broker:1883/a@b' }, 'neither')
    })
    expect(text).not.toContain('hunter')
    expect(text).toContain('mqtt://[secret]@broker:1883')
    expect(text).toContain('mqtt://broker:1883/a@b')
  })

  it('says nothing below its level', () => {
    const lines: string[] = []
    const log = createLog('test', { level: 'warn', format: 'json' }, { write: (line) => void lines.push(line) })
    log.info('no')
    log.warn('yes')
    expect(lines).toHaveLength(1)
  })
})
