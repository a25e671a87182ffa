import { expect, it } from 'vitest'
import { defaultInterface, readIdentity, resolveHostname } from '../../publisher/identity.ts'

it('a machine name becomes a device key', () => {
  expect(resolveHostname('', 'Pi-Kitchen.lan', null)).toBe('pi-kitchen-lan')
})

it('two fresh Pis differ by the end of their serial numbers', () => {
  expect(resolveHostname('', 'raspberrypi', '00000000abcdEF01')).toBe('raspberrypi-ef01')
})

it('a configured name that cannot be a device key is refused with one that can', () => {
  expect(() => resolveHostname('Pi Küche', 'x', null)).toThrowError(
    expect.objectContaining({ code: 'E_CONFIG_INVALID', hint: expect.stringContaining('"pi-k-che"') }),
  )
  expect(() => resolveHostname('bridge', 'x', null)).toThrowError(/cannot be a device key/)
})

it('a machine without a usable name says what to set', () => {
  expect(() => resolveHostname('', 'bridge', null)).toThrowError(
    expect.objectContaining({ hint: expect.stringContaining('SNOWHAT_PUBLISHER_HOSTNAME') }),
  )
})

it('the default route tells the interface', () => {
  const routes = 'Iface\tDestination\tGateway\neth0\t0001A8C0\t00000000\nwlan0\t00000000\t0101A8C0\n'
  expect(defaultInterface(routes)).toBe('wlan0')
  expect(defaultInterface('')).toBeUndefined()
})

it('what is given is not asked of the machine, so that one process can be three Pis', async () => {
  const given = { hostname: 'pi-2', ipaddress: '192.0.2.2', macaddress: '02:00:00:00:00:02', serial: null, model: null }
  expect(await readIdentity('', given)).toEqual(given)
})
