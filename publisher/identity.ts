import { readFile } from 'node:fs/promises'
import { hostname as machineName, type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { SnowhatError } from '../src/errors.ts'
import { isHostname, toHostname } from '../src/hostname.ts'

/** Who this Pi is, as its readings say. */
export interface Identity {
  readonly hostname: string
  readonly ipaddress: string | null
  readonly macaddress: string | null
  readonly serial: string | null
  /** For people: `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly model: string | null
}

export interface Machine {
  /** Directory that stands for `/`. */
  readonly root: string
  readonly name: string
  readonly interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>
}

export function thisMachine(): Machine {
  return { root: '/', name: machineName(), interfaces: networkInterfaces() }
}

/** `configured` wins over the machine's own name; what `known` gives is not looked for. */
export async function readIdentity(
  configured: string,
  known: Partial<Identity> = {},
  machine: Machine = thisMachine(),
): Promise<Identity> {
  const [serial, model, network] = await Promise.all([
    known.serial !== undefined ? known.serial : readSerial(machine.root),
    known.model !== undefined ? known.model : readModel(machine.root),
    readNetwork(machine),
  ])
  return {
    hostname: resolveHostname(known.hostname ?? configured, machine.name, serial),
    ipaddress: known.ipaddress !== undefined ? known.ipaddress : network.ipaddress,
    macaddress: known.macaddress !== undefined ? known.macaddress : network.macaddress,
    serial,
    model,
  }
}

/** The device key; a name that cannot be one stops the start, for two Pis with a made-up name would mix. */
export function resolveHostname(configured: string, machineName: string, serial: string | null): string {
  if (configured !== '') {
    if (isHostname(configured)) return configured
    const near = toHostname(configured, serial)
    throw new SnowhatError('E_CONFIG_INVALID', `the hostname "${configured}" cannot be a device key`, {
      hint:
        'use up to 63 of a-z, 0-9, _ and -, the first a letter or digit, and neither "bridge" nor "elastic"' +
        (near === undefined ? '' : `, for example "${near}"`),
    })
  }
  const own = toHostname(machineName, serial)
  if (own !== undefined) return own
  throw new SnowhatError('E_CONFIG_INVALID', `no device key can be made from the machine's name "${machineName}"`, {
    hint: 'set SNOWHAT_PUBLISHER_HOSTNAME (or --hostname) to a name of a-z, 0-9, _ and -',
  })
}

/** The interface of the default route, from `/proc/net/route`: the line whose destination is all zeros. */
export function defaultInterface(routes: string): string | undefined {
  for (const line of routes.split('\n').slice(1)) {
    const [name, destination] = line.trim().split(/\s+/)
    if (name !== undefined && destination === '00000000') return name
  }
  return undefined
}

async function readNetwork(machine: Machine): Promise<{ ipaddress: string | null; macaddress: string | null }> {
  const name = defaultInterface((await readText(machine.root, 'proc/net/route')) ?? '')
  const external = Object.entries(machine.interfaces).filter(([, addresses]) => addresses?.some((a) => !a.internal))
  const addresses = (name === undefined ? undefined : machine.interfaces[name]) ?? external[0]?.[1] ?? []
  const address = addresses.find((a) => a.family === 'IPv4') ?? addresses[0]
  return { ipaddress: address?.address ?? null, macaddress: address?.mac ?? null }
}

async function readSerial(root: string): Promise<string | null> {
  const fromTree = cleaned(await readText(root, 'proc/device-tree/serial-number'))
  if (fromTree !== null) return fromTree
  const line = /^Serial\s*:\s*(\S+)/m.exec((await readText(root, 'proc/cpuinfo')) ?? '')
  return line?.[1] ?? null
}

async function readModel(root: string): Promise<string | null> {
  return cleaned(await readText(root, 'proc/device-tree/model'))
}

/** Device-tree strings end in NUL. */
function cleaned(text: string | undefined): string | null {
  const value = text?.replaceAll('\0', '').trim() ?? ''
  return value === '' ? null : value
}

async function readText(root: string, path: string): Promise<string | undefined> {
  try {
    return await readFile(join(root, path), 'utf8')
  } catch {
    return undefined
  }
}
