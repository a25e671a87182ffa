import { readIdentity } from '../../../publisher/identity.ts'
import type { AllSettings } from '../../command.ts'

/** As the publisher takes it. Throws `E_CONFIG_INVALID` when there is none. */
export async function ownHostname(settings: Pick<AllSettings, 'publisher'>): Promise<string> {
  return (await readIdentity(settings.publisher.hostname)).hostname
}
