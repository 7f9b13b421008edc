import { deepEqual, equal, rejects, throws } from '../support/assert.ts'
import { each } from '../support/behaviour.ts'
import type { Behaviour } from '../support/behaviour.ts'
import type { PeerName } from '../support/peer.ts'
import { pattern, readExactly, readSome, sha256 } from '../support/streams.ts'
import { LOST, READ_CANCELLED, REFUSED, SOCKET_CLOSED, WRITABLE_CLOSED } from '../support/texts.ts'

const TLS = { secureTransport: 'on' } as const
const FAILED = { name: 'Error', message: REFUSED } as const
const LARGE = 4 * 1024 * 1024

/** Handshakes that must fail, and what the peer does. */
const BAD: readonly (readonly [peer: PeerName, what: string])[] = [
  ['tls-wrong-name', 'a certificate for another name'],
  ['tls-untrusted', 'a certificate of an unknown CA'],
  ['tls-self-signed', 'a self-signed certificate'],
  ['tls-expired', 'an expired certificate'],
  ['tls-plaintext', 'a peer that answers in clear'],
  ['tls-end', 'a peer that ends during the handshake'],
  ['tls-reset', 'a peer that resets during the handshake'],
]

/** TLS from the first byte (reference, section 12). */
export const tlsOn: readonly Behaviour[] = [
  {
    id: 'S-150a',
    title: 'secureTransport "on" speaks TLS 1.3 and carries data both ways',
    peer: 'tls-echo',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS)
      equal(socket.secureTransport, 'on')
      equal(socket.upgraded, false)
      await socket.writable.getWriter().write('secret')
      equal((await readSome(socket.readable.getReader(), 6)).text, 'secret')
      const { handshake, clear, protocol } = await t.peer.report()
      deepEqual({ handshake, clear, protocol }, { handshake: '16', clear: '', protocol: 'TLSv1.3' })
    },
  },
  {
    id: 'S-150b',
    title: 'a name is sent as SNI',
    peer: 'tls-echo',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS, `localhost:${t.peer.port}`)
      equal((await socket.opened).remoteAddress, `localhost:${t.peer.port}`)
      equal((await t.peer.saw('secure')).serverName, 'localhost')
    },
  },
  {
    id: 'S-150c',
    title: 'an IP address is verified against the addresses of the certificate, and not sent as SNI',
    peer: 'tls-echo',
    binding: true,
    async run(t) {
      await t.open(TLS)
      equal((await t.peer.saw('secure')).serverName, undefined)
    },
  },
  {
    id: 'S-150d',
    title: 'an IPv6 address is verified the same way',
    peer: 'tls-echo',
    async run(t) {
      await t.open(TLS, `[::1]:${t.peer.port}`)
      equal((await t.peer.saw('secure')).serverName, undefined)
    },
  },
  {
    id: 'S-150e',
    title: 'no protocol is offered by ALPN',
    peer: 'tls-echo',
    async run(t) {
      await t.open({ ...TLS, alpn: ['h2'] })
      deepEqual((await t.peer.saw('secure')).alpn, [])
    },
  },
  ...each('S-151', BAD, ([peer, what]) => ({
    title: `${what} fails as a refused connection does`,
    peer,
    async run({ connect, address }) {
      const socket = connect(address, TLS)
      await Promise.all([rejects(socket.opened, FAILED, 'opened'), rejects(socket.closed, FAILED, 'closed')])
    },
  })),
  {
    id: 'S-151h',
    title: 'a certificate without the IP address that was dialled fails',
    peer: 'tls-wrong-name',
    async run({ connect, peer }) {
      await rejects(connect(`localhost:${peer.port}`, TLS).opened, FAILED)
    },
  },
  {
    id: 'S-151i',
    title: 'nothing written is sent when the certificate is bad',
    peer: 'tls-untrusted',
    async run({ connect, address, peer }) {
      const writer = connect(address, TLS).writable.getWriter()
      await rejects(writer.write('secret'), { name: 'Error', message: `jsg.Error: ${REFUSED}` })
      await rejects(writer.write('more'), { name: 'TypeError', message: WRITABLE_CLOSED })
      const { bytes, clear, handshake } = await peer.saw('close')
      deepEqual({ bytes, clear, handshake }, { bytes: 0, clear: '', handshake: '16' })
    },
  },
  {
    id: 'S-151j',
    title: 'a read pending at a failed handshake is cancelled',
    peer: 'tls-expired',
    async run({ connect, address }) {
      const reader = connect(address, TLS).readable.getReader()
      await rejects(reader.read(), { name: 'Error', message: READ_CANCELLED })
    },
  },
  {
    id: 'S-152',
    title: 'a peer that does not answer the handshake leaves opened and close() pending',
    peer: 'tls-silent',
    async run(t) {
      const socket = t.connect(t.address, TLS)
      await t.peer.received(1)
      await t.pending(socket.opened, 'opened')
      await t.pending(socket.close(), 'close()')
    },
  },
  {
    id: 'S-052',
    title: 'with TLS, opened settles after the handshake',
    peer: 'tls-echo',
    async run({ connect, address, peer }) {
      await connect(address, TLS).opened
      equal((await peer.report()).handshake, '16')
    },
  },
  {
    id: 'S-053g',
    title: 'what is written before the handshake is sent after it, encrypted',
    peer: 'tls-echo',
    async run({ connect, address, peer }) {
      const socket = connect(address, TLS)
      await socket.writable.getWriter().write('early secret')
      equal((await readSome(socket.readable.getReader(), 12)).text, 'early secret')
      equal((await peer.report()).clear, '')
    },
  },
  {
    id: 'S-090e',
    title: 'over TLS, writer.close() says farewell and reading goes on',
    peer: 'tls-live',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS)
      const writer = socket.writable.getWriter()
      await writer.write('request')
      await writer.close()
      equal((await t.peer.saw('end')).text, 'request')
      await t.peer.send('answer')
      equal((await readSome(socket.readable.getReader(), 6)).text, 'answer')
    },
  },
  {
    id: 'S-100f',
    title: 'over TLS, the end of the peer closes the writable and resolves closed',
    peer: 'tls-live',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS)
      await t.peer.saw('secure')
      await t.peer.send('bye')
      await t.peer.end()
      deepEqual(await readSome(socket.readable.getReader(), 100), { text: 'bye', done: true })
      equal(await socket.closed, undefined)
    },
  },
  {
    id: 'S-113c',
    title: 'over TLS, a stream cut short without farewell is not taken for an end',
    peer: 'tls-live',
    binding: true,
    async run(t) {
      const reader = (await t.open(TLS)).readable.getReader()
      await t.peer.saw('secure')
      await t.peer.send('half of')
      equal((await readSome(reader, 7)).text, 'half of')
      const read = rejects(reader.read(), { name: 'Error', message: LOST })
      await t.peer.endAbruptly()
      await read
    },
  },
  {
    id: 'S-110g',
    title: 'over TLS, a reset rejects the pending read',
    peer: 'tls-live',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS)
      await t.peer.saw('secure')
      const read = rejects(socket.readable.getReader().read(), { name: 'Error', message: LOST })
      await t.peer.reset()
      await read
    },
  },
  {
    id: 'S-133c',
    // TLS 1.3 servers send session tickets. Those that nobody reads make the kernel end with a reset (S-138), which can
    // overtake what is still on its way; natively that is so.
    title: 'over TLS 1.2, everything written before close() is delivered',
    peer: 'tls12-live',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS)
      const data = pattern(LARGE)
      const written = socket.writable.getWriter().write(data)
      await socket.close()
      await written
      equal((await t.peer.received(LARGE)).sha256, await sha256(data))
    },
  },
  {
    id: 'S-130c',
    title: 'over TLS, close() rejects a pending read and lets the connection go',
    peer: 'tls-echo',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS)
      const reader = socket.readable.getReader()
      await socket.writable.getWriter().write('x')
      equal((await readSome(reader, 1)).text, 'x')
      const read = rejects(reader.read(), { name: 'TypeError', message: SOCKET_CLOSED })
      equal(await socket.close(), undefined)
      await read
      equal(await socket.closed, undefined)
      await t.peer.saw('close')
    },
  },
  {
    id: 'S-150f',
    title: 'a server that knows no more than TLS 1.2 is spoken to',
    peer: 'tls12-live',
    binding: true,
    async run(t) {
      await t.open(TLS)
      equal((await t.peer.saw('secure')).protocol, 'TLSv1.2')
    },
  },
  {
    id: 'S-249',
    title: 'over TLS, megabytes come back whole',
    peer: 'tls-echo',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS)
      const data = pattern(LARGE)
      const written = socket.writable.getWriter().write(data)
      const echoed = await readExactly(socket.readable.getReader(), LARGE)
      await written
      equal(await sha256(echoed), await sha256(data))
    },
  },
  {
    id: 'S-160a',
    title: 'startTls() on a socket with secureTransport "on" throws, closed or not',
    peer: 'tls-echo',
    binding: true,
    async run(t) {
      const socket = await t.open(TLS)
      const expected = { name: 'TypeError', message: 'Cannot startTls on a TLS socket.' }
      throws(() => socket.startTls(), expected, 'open')
      await socket.close()
      throws(() => socket.startTls(), expected, 'closed')
    },
  },
]
