import { type Fields, isText } from './judge/finding.ts'

export interface Device {
  readonly id: number
  readonly identifiers: Set<string>
  /** `type value`; a MAC in lower case with colons. */
  readonly connections: Set<string>
  /** As the last document said it: name, model, versions … */
  details: Fields
  viaDeviceId: number | undefined
}

/** What is remembered of an entity for ever: whether it is up or not, over restarts. */
export interface RegisteredEntity {
  readonly platform: string
  readonly uniqueId: string
  readonly entityId: string
  deviceId: number
  isDisabled: boolean
}

/** Home Assistant's memory, which outlives its restarts [spec 1.4, 1.7]. */
export class Registries {
  readonly devices = new Map<number, Device>()
  readonly #entities = new Map<string, RegisteredEntity>()
  #lastDeviceId = 0

  get entities(): readonly RegisteredEntity[] {
    return [...this.#entities.values()]
  }

  entity(platform: string, uniqueId: string): RegisteredEntity | undefined {
    return this.#entities.get(`${platform} ${uniqueId}`)
  }

  /** The device any of whose identifiers or connections it has, or a new one. */
  device(sent: Fields): Device {
    const identifiers = [sent.identifiers ?? []].flat().map(String)
    const connections = (Array.isArray(sent.connections) ? sent.connections : []).map(connectionOf)
    const known = [...this.devices.values()].find(
      (device) =>
        identifiers.some((one) => device.identifiers.has(one)) ||
        connections.some((one) => device.connections.has(one)),
    )
    const device = known ?? this.#newDevice()
    for (const one of identifiers) device.identifiers.add(one)
    for (const one of connections) device.connections.add(one)
    const { identifiers: _i, connections: _c, via_device, suggested_area, ...details } = sent
    device.details = {
      ...device.details,
      ...details,
      ...(!known && suggested_area !== undefined && { suggested_area }),
    }
    // A parent nobody has announced is made up, without a name.
    if (isText(via_device)) device.viaDeviceId = this.#withIdentifier(via_device).id
    return device
  }

  /** The entity's entry, as it was registered first; only its device may be another. */
  register(platform: string, uniqueId: string, device: Device, fields: Fields): RegisteredEntity {
    const known = this.entity(platform, uniqueId)
    if (known) {
      known.deviceId = device.id
      return known
    }
    const entry: RegisteredEntity = {
      platform,
      uniqueId,
      entityId: this.#freeEntityId(platform, device, fields),
      deviceId: device.id,
      isDisabled: fields.enabled_by_default === false,
    }
    this.#entities.set(`${platform} ${uniqueId}`, entry)
    return entry
  }

  /** The entity is forgotten, and its device with the last that is enabled. */
  remove({ platform, uniqueId, deviceId }: RegisteredEntity): void {
    this.#entities.delete(`${platform} ${uniqueId}`)
    if (!this.entities.some((entity) => entity.deviceId === deviceId && !entity.isDisabled)) this.removeDevice(deviceId)
  }

  removeDevice(id: number): void {
    for (const entity of this.entities)
      if (entity.deviceId === id) this.#entities.delete(`${entity.platform} ${entity.uniqueId}`)
    this.devices.delete(id)
  }

  #newDevice(): Device {
    const id = ++this.#lastDeviceId
    const device: Device = { id, identifiers: new Set(), connections: new Set(), details: {}, viaDeviceId: undefined }
    this.devices.set(id, device)
    return device
  }

  #withIdentifier(identifier: string): Device {
    const known = [...this.devices.values()].find(({ identifiers }) => identifiers.has(identifier))
    if (known) return known
    const device = this.#newDevice()
    device.identifiers.add(identifier)
    return device
  }

  #freeEntityId(platform: string, device: Device, { default_entity_id, name }: Fields): string {
    const proposed = isText(default_entity_id)
      ? default_entity_id
      : `${platform}.${slug([device.details.name, name].filter(isText).join(' ')) || 'unnamed_device'}`
    const taken = new Set(this.entities.map(({ entityId }) => entityId))
    let id = proposed
    for (let count = 2; taken.has(id); count++) id = `${proposed}_${count}`
    return id
  }
}

function connectionOf(pair: readonly unknown[]): string {
  const [type, value] = pair.map(String)
  if (type !== 'mac') return `${type} ${value}`
  return `mac ${(value ?? '')
    .toLowerCase()
    .replace(/[^0-9a-f]/g, '')
    .replace(/(..)(?=.)/g, '$1:')}`
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
}
