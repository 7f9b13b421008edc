import { behaviour, infoOf, outcome, recorder, state, take, textOf, thrown } from './behaviour.ts'
import type { Behaviour, CertificateName, Harness, Peer, PeerOptions } from './behaviour.ts'
import type { Socket } from '../socket.ts'

const OK = { ok: 'undefined' }
const REFUSED = { error: 'Error: proxy request failed, cannot connect to the specified address' }
const WRITE_REFUSED = { error: 'Error: jsg.Error: proxy request failed, cannot connect to the specified address' }
const READ_LOCKED = 'TypeError: This ReadableStream is currently locked to a reader.'
const WRITE_LOCKED = 'TypeError: This WritableStream is currently locked to a writer.'
const TWICE = 'TypeError: startTls has already been called on this socket, or the socket was transferred over RPC.'
const TOO_LATE = 'TypeError: The connection was closed before startTls could be started.'
const NOT_OPTIONS = "TypeError: Failed to execute 'startTls' on 'Socket': parameter 1 is not of type 'TlsOptions'."

/** A socket in clear that can be upgraded. Its peer is a TLS server from the first byte, unless said otherwise. */
async function clear(
  h: Harness,
  peerOptions: PeerOptions = { tls: 'good' },
  host = 'localhost',
): Promise<{ old: Socket; peer: Peer }> {
  const peer = await h.peer(peerOptions)
  const old = h.connect(`${host}:${peer.port}`, { secureTransport: 'starttls' })
  await old.opened
  return { old, peer }
}

/** A server of a protocol that goes over to TLS on a command, and what the client reads of its answer. */
async function negotiated(
  h: Harness,
  reply: string,
  read: number,
  certificate: CertificateName = 'good',
): Promise<Socket> {
  const { old } = await clear(h, { startTls: { command: 'STARTTLS\n', reply, certificate } })
  const writer = old.writable.getWriter()
  await writer.write('STARTTLS\n')
  writer.releaseLock()
  const reader = old.readable.getReader({ mode: 'byob' })
  await reader.read(new Uint8Array(read), { min: read })
  reader.releaseLock()
  await h.quiet()
  return old
}

/** How an upgrade ended, without the references that workerd makes up for its errors. */
async function fates(...promises: Promise<unknown>[]): Promise<unknown> {
  const ended = await Promise.all(promises.map(outcome))
  return JSON.parse(JSON.stringify(ended).replace(/reference = [a-z0-9]{24}/g, 'reference'))
}

const INTERNAL = { error: 'Error: internal error; reference' }

async function failure(h: Harness, socket: Socket): Promise<unknown> {
  const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
  return fates(socket.opened, socket.closed, reader.read(), writer.write('secret'), reader.closed, writer.closed)
}

/** S-160 to S-172. */
export const START_TLS: readonly Behaviour[] = [
  behaviour(
    'S-160 a socket that was not meant for it cannot be upgraded',
    async (h) => thrown(() => h.connect('127.0.0.1:9').startTls()),
    "TypeError: The `secureTransport` socket option must be set to 'starttls' for startTls to be used.",
  ),
  behaviour(
    'S-160 nor can one that is closed, whatever it was meant for',
    async (h) => {
      const { old, peer } = await clear(h)
      const plain = h.connect(peer.address)
      await Promise.all([old.close(), plain.close()])
      return [thrown(() => old.startTls()), thrown(() => plain.startTls())]
    },
    [TOO_LATE, TOO_LATE],
  ),
  behaviour(
    'S-160 nor one that is being upgraded, nor one that was',
    async (h) => {
      const { old } = await clear(h)
      const socket = old.startTls()
      const again = thrown(() => old.startTls())
      await socket.opened
      return [again, thrown(() => old.startTls()), thrown(() => socket.startTls())]
    },
    [TWICE, TOO_LATE, 'TypeError: Cannot startTls on a TLS socket.'],
  ),
  behaviour(
    'S-161 there is a new socket at once, and the old one keeps its kind',
    async (h) => {
      const { old } = await clear(h)
      const socket = old.startTls()
      const at = [socket.secureTransport, socket.upgraded, old.secureTransport, old.upgraded, socket === old]
      await socket.opened
      return [at, socket.upgraded, old.secureTransport, old.upgraded]
    },
    [['on', false, 'starttls', false, false], false, 'starttls', true],
  ),
  behaviour(
    'S-161 the new socket tells the same address',
    async (h) => infoOf(await (await clear(h)).old.startTls().opened),
    { remoteAddress: 'localhost:port', localAddress: 'undefined' },
  ),
  behaviour(
    'S-161 bytes go both ways after a negotiation in clear',
    async (h) => {
      const peer = await h.peer({ startTls: { command: 'STARTTLS\n', reply: 'GO\n', certificate: 'good' } })
      const old = h.connect(`localhost:${peer.port}`, { secureTransport: 'starttls' })
      const [oldWriter, oldReader] = [old.writable.getWriter(), old.readable.getReader()]
      await oldWriter.write('STARTTLS\n')
      const reply = await take(oldReader, 3)
      oldWriter.releaseLock()
      oldReader.releaseLock()
      const socket = old.startTls()
      await socket.writable.getWriter().write('request')
      const request = [await peer.received(16), await peer.secured()]
      await peer.send('answer')
      return [reply, request, await take(socket.readable.getReader(), 6)]
    },
    ['GO\n', ['STARTTLS\nrequest', 'secure'], 'answer'],
  ),
  behaviour(
    'S-162 before the old socket is open, what it has queued goes in clear first',
    async (h) => {
      const peer = await h.peer({ startTls: { command: 'STARTTLS\n', certificate: 'good' } })
      const old = h.connect(`localhost:${peer.port}`, { secureTransport: 'starttls' })
      const writer = old.writable.getWriter()
      const write = outcome(writer.write('STARTTLS\n'))
      writer.releaseLock()
      const socket = old.startTls()
      await socket.writable.getWriter().write('secret')
      return [await write, await peer.received(15), await outcome(old.closed), old.upgraded]
    },
    [OK, 'STARTTLS\nsecret', OK, true],
  ),
  behaviour(
    'S-163 closed of the old socket resolves before the handshake, even if that then fails',
    async (h) => {
      const { old } = await clear(h, { tls: 'untrusted' })
      const socket = old.startTls()
      const upgraded = old.closed.then(() => old.upgraded)
      return [await upgraded, await fates(socket.opened), await outcome(old.closed)]
    },
    [true, [INTERNAL], OK],
  ),
  behaviour(
    'S-163 close() of the old socket does not disturb the new one',
    async (h) => {
      const { old, peer } = await clear(h)
      const socket = old.startTls()
      const close = await outcome(old.close())
      await socket.writable.getWriter().write('x')
      return [close, await peer.received(1), await state(h, socket.closed)]
    },
    [OK, 'x', 'pending'],
  ),
  behaviour(
    'S-163 opened of the old socket keeps its outcome',
    async (h) => {
      const peer = await h.peer({ tls: 'untrusted' })
      const old = h.connect(`localhost:${peer.port}`, { secureTransport: 'starttls' })
      const socket = old.startTls()
      await outcome(socket.opened)
      return infoOf(await old.opened)
    },
    { remoteAddress: 'localhost:port', localAddress: 'undefined' },
  ),
  behaviour(
    'S-164 the new writer is ready, then the old socket closes, then the new one opens',
    async (h) => {
      const { old } = await clear(h)
      const socket = old.startTls()
      const writer = socket.writable.getWriter()
      const { log, watch } = recorder()
      watch('new opened', socket.opened)
      watch('old closed', old.closed)
      watch('new ready', writer.ready)
      watch('new write', writer.write('x'))
      await socket.opened
      await h.quiet()
      return log
    },
    ['new ready', 'old closed', 'new opened', 'new write'],
  ),
  behaviour(
    'S-165 the streams of the old socket are locked for good',
    async (h) => {
      const { old } = await clear(h)
      const before = [old.readable.locked, old.writable.locked]
      const socket = old.startTls()
      await socket.opened
      const { readable, writable } = old
      return [
        [before, readable.locked, writable.locked],
        [thrown(() => readable.getReader()), thrown(() => writable.getWriter())],
        await Promise.all([readable.cancel(), readable.pipeTo(new WritableStream())].map(outcome)),
        await Promise.all([writable.close(), writable.abort()].map(outcome)),
      ]
    },
    [
      [[false, false], true, true],
      [READ_LOCKED, WRITE_LOCKED],
      [{ error: READ_LOCKED }, { error: READ_LOCKED }],
      [{ error: WRITE_LOCKED }, { error: WRITE_LOCKED }],
    ],
  ),
  behaviour(
    'S-165 the old readable is no body',
    async (h) => {
      const { old } = await clear(h)
      await old.startTls().opened
      return String(thrown(() => new Response(old.readable))).startsWith('TypeError: ')
    },
    true,
  ),
  behaviour(
    'S-166 a writer that was not released: closed rejects, opened is pending, the old socket lives on',
    async (h) => {
      const peer = await h.peer()
      const old = h.connect(peer.address, { secureTransport: 'starttls' })
      await old.opened
      const writer = old.writable.getWriter()
      const socket = old.startTls()
      const ends = [await state(h, socket.opened), await outcome(socket.closed)]
      const streams = [socket.readable.getReader().read(), socket.writable.getWriter().write('x')]
      const calls = await Promise.all(streams.map(outcome))
      await writer.write('still clear')
      return [ends, calls, await peer.received(11), old.upgraded, await state(h, old.closed)]
    },
    [
      ['pending', { error: WRITE_LOCKED }],
      [{ error: WRITE_LOCKED }, { error: WRITE_LOCKED }],
      'still clear',
      false,
      'pending',
    ],
  ),
  behaviour(
    'S-166 a reader that was not released does the same with its own text',
    async (h) => {
      const peer = await h.peer()
      const old = h.connect(peer.address, { secureTransport: 'starttls' })
      await old.opened
      const reader = old.readable.getReader()
      const socket = old.startTls()
      const ends = [await state(h, socket.opened), await outcome(socket.closed), old.upgraded]
      await peer.send('still clear')
      return [ends, await textOf(reader.read()), thrown(() => old.startTls())]
    },
    [
      ['pending', { error: 'TypeError: The ReadableStream has been locked to a reader.' }, false],
      { done: false, text: 'still clear' },
      TWICE,
    ],
  ),
  behaviour(
    'S-167 an answer that was read to its end goes over to TLS',
    async (h) => {
      const socket = (await negotiated(h, '220 go\r\n', 8)).startTls()
      return fates(socket.opened.then(() => {}))
    },
    [OK],
  ),
  behaviour(
    'S-167 clear bytes behind the answer, read by nobody, end the connection',
    async (h) => failure(h, (await negotiated(h, '220 go\r\n250 injected\r\n', 8)).startTls()),
    [INTERNAL, INTERNAL, INTERNAL, INTERNAL, INTERNAL, INTERNAL],
  ),
  behaviour(
    'S-167 so does an answer of which nothing was read',
    async (h) => {
      const { old, peer } = await clear(h, {})
      await peer.send('220 go\r\n')
      await h.quiet()
      return failure(h, old.startTls())
    },
    [INTERNAL, INTERNAL, INTERNAL, INTERNAL, INTERNAL, INTERNAL],
  ),
  ...[undefined, null, {}, { servername: 'ignored', host: 'x', ssl: true }].map((options) =>
    behaviour(
      `S-168 ${JSON.stringify(options)} are options`,
      async (h) => {
        const { old, peer } = await clear(h)
        await old.startTls(options as object).opened
        return (await peer.hello()).servername
      },
      'localhost',
    ),
  ),
  ...[5, 'x', true].map((options) =>
    behaviour(
      `S-168 ${JSON.stringify(options)} is not`,
      async (h) => {
        const { old } = await clear(h)
        return thrown(() => old.startTls(options as unknown as object))
      },
      NOT_OPTIONS,
    ),
  ),
  behaviour(
    'S-169 another name can be expected',
    async (h) => {
      const { old, peer } = await clear(h, { tls: 'wrongName' })
      await old.startTls({ expectedServerHostname: 'wrong.example' }).opened
      return (await peer.hello()).servername
    },
    'wrong.example',
  ),
  behaviour(
    'S-169 it takes the place of an IP as well',
    async (h) => {
      const { old, peer } = await clear(h, { tls: 'good' }, '127.0.0.1')
      await old.startTls({ expectedServerHostname: 'localhost' }).opened
      return (await peer.hello()).servername
    },
    'localhost',
  ),
  behaviour(
    'S-169 a name that the certificate does not have fails',
    async (h) => fates((await clear(h)).old.startTls({ expectedServerHostname: 'other.example' }).opened),
    [INTERNAL],
  ),
  behaviour(
    'S-169 an empty name is none, and null is a name',
    async (h) => {
      const first = await clear(h)
      await first.old.startTls({ expectedServerHostname: '' }).opened
      const second = await clear(h)
      const name = { expectedServerHostname: null } as unknown as { expectedServerHostname: string }
      return [(await first.peer.hello()).servername, await fates(second.old.startTls(name).opened)]
    },
    ['localhost', [INTERNAL]],
  ),
  ...(['wrongName', 'expired', 'untrusted'] as const satisfies readonly CertificateName[]).map((certificate) =>
    behaviour(
      `S-170 a certificate (${certificate}) that does not verify fails everything, each with a reference of its own`,
      async (h) => {
        const { old } = await clear(h, { tls: certificate })
        return failure(h, old.startTls())
      },
      [INTERNAL, INTERNAL, INTERNAL, INTERNAL, INTERNAL, INTERNAL],
    ),
  ),
  behaviour(
    'S-170 opened and closed do not share their reference',
    async (h) => {
      const socket = (await clear(h, { tls: 'expired' })).old.startTls()
      const [opened, closed] = await Promise.all([socket.opened, socket.closed].map(outcome))
      return JSON.stringify(opened) === JSON.stringify(closed)
    },
    false,
  ),
  behaviour(
    'S-170 a server that answers the upgrade in clear fails it, and gets nothing of what was written',
    async (h) => {
      const { old, peer } = await clear(h, {})
      const socket = old.startTls()
      const write = outcome(socket.writable.getWriter().write('secret'))
      await peer.received(1)
      await peer.send('502 no TLS here\r\n')
      await write
      return [await fates(socket.opened), (await peer.received(1)).includes('secret')]
    },
    [[INTERNAL], false],
  ),
  behaviour(
    'S-170 the first close() of the failed socket resolves, the next one rejects',
    async (h) => {
      const socket = (await clear(h, { tls: 'untrusted' })).old.startTls()
      return [await fates(socket.close()), await fates(socket.close())]
    },
    [[OK], [INTERNAL]],
  ),
  behaviour(
    'S-171 called before the connection is refused: the old socket closes, the new one stays pending',
    async (h) => {
      const old = h.connect(`127.0.0.1:${await h.refused()}`, { secureTransport: 'starttls' })
      const socket = old.startTls()
      const fate = [await outcome(old.opened), await outcome(old.closed), old.upgraded]
      return [fate, await state(h, socket.opened), await state(h, socket.closed)]
    },
    [[REFUSED, OK, true], 'pending', 'pending'],
  ),
  behaviour(
    'S-171 called after the connection was refused it does not throw',
    async (h) => {
      const old = h.connect(`127.0.0.1:${await h.refused()}`, { secureTransport: 'starttls' })
      await outcome(old.opened)
      const socket = old.startTls()
      return [await state(h, socket.opened), await outcome(socket.closed), await outcome(old.closed), old.upgraded]
    },
    ['pending', WRITE_REFUSED, REFUSED, false],
  ),
  behaviour(
    'S-172 in the same tick as close() it still succeeds',
    async (h) => {
      const { old } = await clear(h)
      const close = outcome(old.close())
      const socket = old.startTls()
      return [await close, infoOf(await socket.opened), await state(h, socket.closed)]
    },
    [OK, { remoteAddress: 'localhost:port', localAddress: 'undefined' }, 'pending'],
  ),
  behaviour(
    'S-172 close() of the new socket waits for its handshake, and then ends it',
    async (h) => {
      const { old, peer } = await clear(h)
      const socket = old.startTls()
      return [await outcome(socket.close()), await peer.secured(), await peer.ended()]
    },
    [OK, 'secure', 'fin'],
  ),
  behaviour(
    'S-170 a peer that ends before the handshake fails it',
    async (h) => {
      const { old, peer } = await clear(h, {})
      await peer.end()
      await h.quiet()
      const socket = old.startTls()
      return fates(socket.opened, socket.closed)
    },
    [INTERNAL, INTERNAL],
  ),
]
