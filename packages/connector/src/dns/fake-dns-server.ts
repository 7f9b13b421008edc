/** A DNS server on loopback for tests: one question and plain answers, as RFC 1035 section 4 has them. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'

/** What a name of the server has: addresses of either family, an error of the server, or nothing but silence. */
export type FakeZone = Readonly<
  Record<string, { readonly addresses: readonly string[]; readonly ttl: number } | FakeError>
>
export type FakeError = 'SERVFAIL' | 'REFUSED' | 'SILENT' | 'SILENT AAAA'

export interface FakeDnsServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** Names and types asked for: `db.internal AAAA`. */
  readonly asked: readonly string[]
}

const RCODES = { SERVFAIL: 2, REFUSED: 5 } as const
const NXDOMAIN = 3
const TYPES = { A: 1, AAAA: 28 } as const
/** Points at the name of the question. */
const SAME_NAME = 0xc00c

function bytesOf(ip: string): Buffer {
  if (!isIPv6(ip)) return Buffer.from(ip.split('.').map(Number))
  const [head = '', tail] = ip
    .split('::')
    .map((side) => (side === '' ? [] : side.split(':')).map((group) => group.padStart(4, '0')).join(''))
  return Buffer.from(tail === undefined ? head : head.padEnd(32 - tail.length, '0') + tail, 'hex')
}

function record(ip: string, ttl: number): Buffer {
  const data = bytesOf(ip)
  const fixed = Buffer.alloc(12)
  fixed.writeUInt16BE(SAME_NAME, 0)
  fixed.writeUInt16BE(isIPv6(ip) ? TYPES.AAAA : TYPES.A, 2)
  fixed.writeUInt16BE(1, 4)
  fixed.writeUInt32BE(ttl, 6)
  fixed.writeUInt16BE(data.length, 10)
  return Buffer.concat([fixed, data])
}

function questionOf(packet: Buffer): { readonly name: string; readonly type: string; readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = packet.readUInt16BE(at + 1) === TYPES.AAAA ? 'AAAA' : 'A'
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 }
}

function answerTo(packet: Buffer, zone: FakeZone, asked: string[]): Buffer | undefined {
  const { name, type, end } = questionOf(packet)
  asked.push(`${name} ${type}`)
  const entry = zone[name]
  if (entry === 'SILENT' || (entry === 'SILENT AAAA' && type === 'AAAA')) return undefined
  const known = entry === 'SILENT AAAA' ? { addresses: ['10.0.0.9'], ttl: 60 } : entry
  const isError = typeof known === 'string'
  const found = known === undefined || isError ? [] : known.addresses.filter((ip) => isIPv6(ip) === (type === 'AAAA'))
  const head = Buffer.from(packet.subarray(0, end))
  const rcode = isError ? RCODES[known as 'SERVFAIL' | 'REFUSED'] : known === undefined ? NXDOMAIN : 0
  head.writeUInt16BE(0x8180 | rcode, 2)
  head.writeUInt16BE(found.length, 6)
  head.writeUInt32BE(0, 8)
  const ttl = known === undefined || isError ? 0 : known.ttl
  return Buffer.concat([head, ...found.map((ip) => record(ip, ttl))])
}

export async function fakeDnsServer(zone: FakeZone): Promise<FakeDnsServer> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (packet, { address, port }) => {
    const answer = answerTo(packet, zone, asked)
    if (answer !== undefined) socket.send(answer, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}
