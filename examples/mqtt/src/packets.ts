/** The few control packets of MQTT 3.1.1 that publishing needs. */

const CONNECT = 0x10
const CONNACK = 0x20
const PUBLISH_QOS_1 = 0x32
const PUBACK = 0x40
const DISCONNECT = 0xe0

const encoder = new TextEncoder()

/** Text with its length in two bytes before it (MQTT 3.1.1, section 1.5.3). */
function text(value: string): number[] {
  const bytes = encoder.encode(value)
  return [...twoBytes(bytes.byteLength), ...bytes]
}

function twoBytes(value: number): number[] {
  return [value >> 8, value & 0xff]
}

/** Seven bits a byte, the lowest first; the eighth says that more follow (section 2.2.3). */
function remainingLength(length: number): number[] {
  const bytes: number[] = []
  let rest = length
  do {
    const digit = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? digit | 0x80 : digit)
  } while (rest > 0)
  return bytes
}

function packet(kind: number, body: readonly number[]): Uint8Array {
  return Uint8Array.of(kind, ...remainingLength(body.length), ...body)
}

/** With a clean session, kept alive for a minute. */
export function connectPacket(clientId: string): Uint8Array {
  return packet(CONNECT, [...text('MQTT'), 4, 0b10, ...twoBytes(60), ...text(clientId)])
}

/** At least once: the broker acknowledges `id`. */
export function publishPacket(id: number, topic: string, payload: Uint8Array): Uint8Array {
  return packet(PUBLISH_QOS_1, [...text(topic), ...twoBytes(id), ...payload])
}

export function disconnectPacket(): Uint8Array {
  return packet(DISCONNECT, [])
}

/** @throws {Error} if it is no CONNACK, or one that refuses */
export function checkConnack(bytes: Uint8Array): void {
  if (bytes[0] !== CONNACK || bytes[1] !== 2) throw new Error('the broker does not speak MQTT')
  if (bytes[3] !== 0) throw new Error(`the broker refuses the connection with code ${bytes[3]}`)
}

/** @throws {Error} if it is not the PUBACK of `id` */
export function checkPuback(bytes: Uint8Array, id: number): void {
  const acknowledged = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)
  if (bytes[0] !== PUBACK || acknowledged !== id) throw new Error(`the broker has not acknowledged message ${id}`)
}
