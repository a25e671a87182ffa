import { SnowhatError } from '../../src/errors.ts'

/** An MQTT filter in which one level stands for the device. */
export interface TopicPattern {
  /** The text of that level; `undefined` when the topic is none of these. */
  deviceIn(topic: string): string | undefined
}

/** Throws `E_CONFIG_INVALID` when it has not exactly one `+`, which must be a level of its own, or a `#`. */
export function topicPattern(filter: string): TopicPattern {
  const levels = filter.split('/')
  const at = levels.indexOf('+')
  const others = levels.filter((_level, index) => index !== at)
  if (at < 0 || others.some((level) => /[+#]/.test(level)) || filter.startsWith('$'))
    throw new SnowhatError('E_CONFIG_INVALID', `the topic ${filter} of a route must have exactly one + in it`, {
      hint: 'the + stands for the device, as in weather/+/observation',
    })
  const before = levels
    .slice(0, at)
    .map((level) => `${level}/`)
    .join('')
  const after = levels
    .slice(at + 1)
    .map((level) => `/${level}`)
    .join('')
  return {
    deviceIn: (topic) => {
      if (topic.length < before.length + after.length || !topic.startsWith(before) || !topic.endsWith(after))
        return undefined
      const device = topic.slice(before.length, topic.length - after.length)
      return device.includes('/') ? undefined : device
    },
  }
}
