import { behaviour, describe, infoOf, outcome, recorder, state, take, textOf, thrown } from './behaviour.ts'
import type { Behaviour, CertificateName, Harness, Peer } from './behaviour.ts'
import type { Socket } from '../socket.ts'

const REFUSED = 'Error: proxy request failed, cannot connect to the specified address'
const WRITE_REFUSED = 'Error: jsg.Error: proxy request failed, cannot connect to the specified address'
const OK = { ok: 'undefined' }

async function secure(h: Harness, host = 'localhost'): Promise<{ socket: Socket; peer: Peer }> {
  const peer = await h.peer({ tls: 'good' })
  return { peer, socket: h.connect(`${host}:${peer.port}`, { secureTransport: 'on' }) }
}

/** What a socket tells of a handshake that cannot succeed. */
async function refusal(h: Harness, peer: Peer, act?: () => Promise<void>): Promise<unknown> {
  const socket = h.connect(`localhost:${peer.port}`, { secureTransport: 'on' })
  const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
  const calls = [socket.opened, socket.closed, reader.read(), writer.write('secret'), reader.closed, writer.closed]
  const outcomes = Promise.all(calls.map(outcome))
  if (act !== undefined) {
    await peer.received(1)
    await act()
  }
  return outcomes
}

const REFUSAL = [
  { error: REFUSED },
  { error: REFUSED },
  { error: 'Error: Stream was cancelled.' },
  { error: WRITE_REFUSED },
  OK,
  { error: WRITE_REFUSED },
]

/** S-150 to S-152: `secureTransport: 'on'`. */
export const TLS: readonly Behaviour[] = [
  behaviour(
    'S-150 a name is sent as it was written and verified',
    async (h) => {
      const { socket, peer } = await secure(h, 'LOCALHOST')
      return [infoOf(await socket.opened), await peer.hello(), socket.secureTransport]
    },
    [
      { remoteAddress: 'LOCALHOST:port', localAddress: 'undefined' },
      { servername: 'LOCALHOST', alpn: false, protocol: 'TLSv1.3' },
      'on',
    ],
  ),
  behaviour(
    'S-150 an IP is verified as one and not sent',
    async (h) => {
      const { socket, peer } = await secure(h, '127.0.0.1')
      await socket.opened
      return peer.hello()
    },
    { servername: false, alpn: false, protocol: 'TLSv1.3' },
  ),
  behaviour(
    'S-150 bytes go both ways',
    async (h) => {
      const { socket, peer } = await secure(h)
      await socket.writable.getWriter().write('request')
      const request = await peer.received(7)
      await peer.send('answer')
      return [request, await take(socket.readable.getReader(), 6)]
    },
    ['request', 'answer'],
  ),
  behaviour(
    'S-150 an IP that is spelled otherwise is no name of the certificate',
    async (h) => outcome((await secure(h, '127.1')).socket.opened),
    { error: REFUSED },
  ),
  ...(['wrongName', 'expired', 'untrusted'] as const satisfies readonly CertificateName[]).map((name) =>
    behaviour(
      `S-151 a certificate (${name}) that does not verify is a refused connection`,
      async (h) => {
        const peer = await h.peer({ tls: name })
        return refusal(h, peer)
      },
      REFUSAL,
    ),
  ),
  behaviour(
    'S-151 so is a peer that answers in clear',
    async (h) => {
      const peer = await h.peer()
      return refusal(h, peer, () => peer.send('220 hello, this is not TLS\r\n'))
    },
    REFUSAL,
  ),
  behaviour(
    'S-151 so is a peer that ends in the handshake',
    async (h) => {
      const peer = await h.peer()
      return refusal(h, peer, () => peer.end())
    },
    REFUSAL,
  ),
  behaviour(
    'S-151 so is a peer that resets in the handshake',
    async (h) => {
      const peer = await h.peer()
      return refusal(h, peer, () => peer.reset())
    },
    REFUSAL,
  ),
  behaviour(
    'S-151 on port 443 the failure carries the hint',
    async (h) =>
      String(describe(await h.connect('nobody.invalid:443', { secureTransport: 'on' }).opened.catch((e: unknown) => e)))
        .length,
    `${REFUSED}. It looks like you might be trying to connect to a HTTP-based service \u2014 consider using fetch instead`
      .length,
  ),
  behaviour(
    'S-152 a peer that never answers leaves opened, reads and close() pending',
    async (h) => {
      const peer = await h.peer()
      const socket = h.connect(peer.address, { secureTransport: 'on' })
      await peer.received(1)
      const read = socket.readable.getReader().read()
      return [await state(h, socket.opened), await state(h, read), await state(h, socket.close())]
    },
    ['pending', 'pending', 'pending'],
  ),
  behaviour(
    'S-090 S-103 TLS can be ended one way, answered, and then closes',
    async (h) => {
      const { socket, peer } = await secure(h)
      const writer = socket.writable.getWriter()
      await writer.write('request')
      await writer.close()
      const request = [await peer.received(7), await peer.ended()]
      await peer.end('answer')
      const reader = socket.readable.getReader()
      return [request, await take(reader, 6), await textOf(reader.read()), await outcome(socket.closed)]
    },
    [['request', 'fin'], 'answer', { done: true, text: 'undefined' }, OK],
  ),
  behaviour(
    'S-160 a TLS socket cannot be upgraded, not even when it is closed',
    async (h) => {
      const { socket } = await secure(h)
      const open = thrown(() => socket.startTls())
      await socket.close()
      return [open, thrown(() => socket.startTls())]
    },
    ['TypeError: Cannot startTls on a TLS socket.', 'TypeError: Cannot startTls on a TLS socket.'],
  ),
  behaviour(
    'S-052 opened settles after the handshake, and writes after it',
    async (h) => {
      const { socket, peer } = await secure(h)
      const { log, watch } = recorder()
      watch('write', socket.writable.getWriter().write('x'))
      watch('opened', socket.opened)
      await peer.received(1)
      await h.quiet()
      return log
    },
    ['opened', 'write'],
  ),
]
