import { hintOf, messageOf, SnowhatError } from '../src/errors.ts'
import type { Notify } from '../src/notify.ts'
import { aborted } from '../src/signals.ts'
import type { PhoneSections } from './config.ts'
import { type PhoneDeps, startPhoneReceiver } from './phone.ts'

/** The command `snowhat phone`: runs until `signal`. Rejects when it must not go on. */
export async function runPhone(
  sections: PhoneSections,
  deps: PhoneDeps & {
    readonly signal: AbortSignal
    /** Who started it and wants to know how it is. */
    readonly notify?: Notify
  },
): Promise<void> {
  const { log, notify, signal } = deps
  const { phone: settings } = sections
  const receiver = await startPhoneReceiver(sections, deps)
  const scheme = settings.tls_cert === '' ? 'http' : 'https'
  log.info(
    {
      listens: `${scheme}://${settings.host}:${receiver.port}/sensor-data`,
      guarded: settings.token !== '',
      dir: settings.dir,
    },
    'the phone receiver is running',
  )
  if (settings.token !== '' && settings.tls_cert === '' && settings.host !== '127.0.0.1')
    log.warn(
      { hint: 'let a proxy in front speak HTTPS, or set phone.tls_cert and phone.tls_key' },
      'the token comes over a connection that others on the network can read',
    )
  notify?.ready(() => receiver.wellbeing())
  try {
    await Promise.race([aborted(signal), receiver.failed])
  } catch (error) {
    const code = error instanceof SnowhatError ? error.code : undefined
    log.fatal({ code, reason: messageOf(error), hint: hintOf(error) }, 'the phone receiver must not go on, and stops')
    throw error
  } finally {
    notify?.stopping()
    log.info('stopping: what is not in the table is written down')
    await receiver.close()
    log.info(receiver.counters(), 'the phone receiver has stopped')
  }
}
