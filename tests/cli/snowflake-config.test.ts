import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LOCAL_EMULATOR, resolveSnowflake } from '../../bridge/snowflake-target.ts'
import { importedSettings } from '../../cli/snowflake-config-flag.ts'
import type { SnowhatError } from '../../src/errors.ts'
import { snowflakeSettings } from '../support/bridge-settings.ts'
import { temporaryDirectory } from '../support/directory.ts'

async function imported(content: unknown) {
  const directory = temporaryDirectory()
  const file = join(directory, 'snowflake_config.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  const { values, notes } = await importedSettings(file)
  return { directory, file, values: Object.fromEntries(values), notes }
}

describe('snowflake_config.json of the first system', () => {
  it('is read as it is: names, one pipe, a key beside the file, a url without its scheme', async () => {
    const { directory, values, notes } = await imported({
      user: 'SENSEHAT_STREAMING_USER',
      account: 'ACME-PROD',
      url: 'acme-prod.snowflakecomputing.com',
      private_key_file: 'rsa_key.p8',
      role: 'SENSEHAT_STREAMING_ROLE',
      database: 'DEMO',
      schema: 'DEMO',
      pipe: 'SENSEHAT_STREAMING_PIPE',
      private_key_passphrase: 'sesame',
    })
    expect(values).toEqual({
      'snowflake.user': 'SENSEHAT_STREAMING_USER',
      'snowflake.account': 'ACME-PROD',
      'snowflake.url': 'https://acme-prod.snowflakecomputing.com',
      'snowflake.private_key_file': join(directory, 'rsa_key.p8'),
      'snowflake.role': 'SENSEHAT_STREAMING_ROLE',
      'snowflake.database': 'DEMO',
      'snowflake.schema': 'DEMO',
      'snowflake.pipes': ['SENSEHAT_STREAMING_PIPE'],
      'snowflake.private_key_passphrase': 'sesame',
    })
    expect(notes).toEqual([])
  })

  it('has a channel_name that is not used, which is said in one line that says why', async () => {
    const { file, values, notes } = await imported({ account: 'A', channel_name: 'SENSEHAT_CHNL' })
    expect(Object.keys(values)).toEqual(['snowflake.account'])
    expect(notes).toEqual([
      `channel_name in ${file} is not used: every device has a channel of its own, named after it`,
    ])
  })

  it('may have keys nobody knows, which are named, and empty values, which are left alone', async () => {
    const { values, notes } = await imported({ account: 'A', table: 'T', role: '', private_key_file: null })
    expect(values).toEqual({ 'snowflake.account': 'A' })
    expect(notes).toHaveLength(1)
    expect(notes[0]).toContain('table')
  })

  it('lets the token win over the key, as it did there', async () => {
    expect((await imported({ pat_token: 'p', private_key_file: '/k.p8' })).values).toEqual({ 'snowflake.pat': 'p' })
  })

  it.each(['{', '[]', '"x"', 'null'])('that reads %s is refused', async (text) => {
    await expect(imported(text)).rejects.toMatchObject({ code: 'E_CONFIG_INVALID' })
  })

  it('is read only when it is asked for', async () => {
    expect(await importedSettings(undefined)).toEqual({ values: new Map(), notes: [] })
  })
})

describe('where the rows go', () => {
  const refusal = (over: Parameters<typeof snowflakeSettings>[0]): SnowhatError => {
    try {
      resolveSnowflake(snowflakeSettings(over))
    } catch (error) {
      return error as SnowhatError
    }
    throw new Error('it was taken')
  }

  it('is the emulator on this machine when nobody has said anything', () => {
    expect(resolveSnowflake(snowflakeSettings())).toMatchObject({ url: LOCAL_EMULATOR, account: 'EMULATOR' })
  })

  it('is an emulator elsewhere when only its address is given', () => {
    expect(resolveSnowflake(snowflakeSettings({ url: 'http://nas:8085' }))).toMatchObject({
      url: 'http://nas:8085',
      account: 'EMULATOR',
    })
    expect(resolveSnowflake(snowflakeSettings({ url: 'http://nas:8085', account: 'DEMO' })).account).toBe('DEMO')
  })

  it('is the account as it was configured', () => {
    const settings = snowflakeSettings({ account: 'A-B', pat: 'x' })
    expect(resolveSnowflake(settings)).toEqual(settings)
  })

  it('is never the emulator when there is a credential: that was meant for an account', () => {
    for (const over of [{ pat: 'x' }, { private_key: 'x' }])
      expect(refusal(over)).toMatchObject({
        code: 'E_CONFIG_INVALID',
        hint: expect.stringContaining('SNOWHAT_SNOWFLAKE_ACCOUNT'),
      })
  })

  it.each(['nas:8085', 'ftp://nas', 'https://nas/path', 'https://'])('is not %s', (url) => {
    expect(refusal({ url }).message).toContain(url)
  })

  it('is an address without a password in it, which an error would show', () => {
    const { message } = refusal({ url: 'http://user:hunter2@nas:8085' })
    expect(message).toContain('[secret]@nas')
    expect(message).not.toContain('hunter2')
  })

  it('has at least one pipe', () => {
    expect(refusal({ pipes: [] }).message).toContain('snowflake.pipes')
  })
})
