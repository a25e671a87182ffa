import { hintOf } from '../../../src/errors.ts'
import type { Check } from '../check.ts'
import { broken, ok, warn } from '../finding.ts'
import { isSignInRefused, openProbe, wordsOf } from './broker-probe.ts'

export const signInCheck: Check = {
  id: 'broker.sign-in',
  needs: ['address', 'way'],
  gives: ['broker'],
  async run(examination, signal) {
    const { mqtt } = examination.settings
    const who = mqtt.username === '' ? 'without a name' : `as ${mqtt.username}`
    try {
      const probe = await openProbe(mqtt, examination, signal)
      examination.give('broker', probe)
      examination.atEnd(() => probe.close())
      const what = `signed in ${who}, MQTT ${probe.protocol}`
      if (probe.protocol === '5') return [ok('broker.sign-in', what)]
      const why = 'with it a refused message looks like one that was taken, so part of what follows cannot be known'
      if (mqtt.protocol === '3.1.1') return [ok('broker.sign-in', what, { why })]
      return [warn('broker.sign-in', what, { why, fix: 'a broker with MQTT 5 tells more; nothing must be done' })]
    } catch (error) {
      if (signal.aborted) throw error
      if (isSignInRefused(error)) return [refused(who, wordsOf(error), mqtt)]
      const fix = hintOf(error) ?? 'is it an MQTT broker, and is SNOWHAT_MQTT_URL right?'
      return [broken('broker.sign-in', `the broker does not let us in ${who}: ${wordsOf(error)}`, { fix })]
    }
  },
}

function refused(who: string, words: string, mqtt: { username: string; password: string; password_file: string }) {
  const from = mqtt.password_file === '' ? 'SNOWHAT_MQTT_PASSWORD_FILE' : mqtt.password_file
  const fix =
    mqtt.username === ''
      ? 'this broker wants a user: set SNOWHAT_MQTT_USERNAME and SNOWHAT_MQTT_PASSWORD_FILE'
      : mqtt.password === ''
        ? 'no password is set: SNOWHAT_MQTT_PASSWORD_FILE names the file that holds it'
        : `compare user and password (${from}) with the broker's: deploy/mosquitto-users.sh makes them, and the broker reads them at SIGHUP`
  return broken('broker.sign-in', `the broker refuses us ${who}: wrong user or password`, { why: words, fix })
}
