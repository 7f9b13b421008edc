import { deepEqual, equal, ok, rejects, throws } from '../support/assert.ts'
import { each } from '../support/behaviour.ts'
import type { Behaviour } from '../support/behaviour.ts'
import type { PeerName } from '../support/peer.ts'
import type { Socket } from '../support/socket.ts'
import { pattern, readExactly, readSome, sha256 } from '../support/streams.ts'
import { DISTURBED, READABLE_LOCKED, REFUSED, SOCKET_CLOSED, WRITABLE_LOCKED } from '../support/texts.ts'
import { Order } from '../support/trial.ts'
import type { Trial } from '../support/trial.ts'

const STARTTLS = { secureTransport: 'starttls' } as const
const GREETING = '220 ready\r\n'
const COMMAND = 'STARTTLS\r\n'
const REPLY = '220 go ahead\r\n'
/** The words differ from one workerd to the next; that they say nothing else does not. */
const HANDSHAKE_FAILED = { name: 'Error', message: /^internal error; reference = \w+$/ } as const
const GONE = { name: 'TypeError', message: 'The connection was closed before startTls could be started.' } as const
const LARGE = 2 * 1024 * 1024

/** Speaks in clear up to the point where the server awaits a handshake; leaves both streams unlocked. */
async function agree(t: Trial, options: object = {}, address: string = t.address): Promise<Socket> {
  const socket = await t.open({ ...STARTTLS, ...options }, address)
  const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
  t.step = 'the greeting'
  equal((await readSome(reader, GREETING.length)).text, GREETING)
  await writer.write(COMMAND)
  t.step = 'the reply'
  equal((await readSome(reader, REPLY.length)).text.slice(0, REPLY.length), REPLY)
  reader.releaseLock()
  writer.releaseLock()
  t.step = 'what follows the reply'
  return socket
}

async function echoes(socket: Socket, text: string): Promise<void> {
  await socket.writable.getWriter().write(text)
  equal((await readSome(socket.readable.getReader(), text.length)).text, text)
}

/** Servers whose upgrade must fail. */
const BAD: readonly (readonly [peer: PeerName, what: string])[] = [
  ['starttls-wrong-name', 'a certificate for another name'],
  ['starttls-untrusted', 'a certificate of an unknown CA'],
  ['starttls-expired', 'an expired certificate'],
  ['starttls-clear', 'a server that goes on in clear'],
]

const upgrade: readonly Behaviour[] = [
  {
    id: 'S-161a',
    title: 'startTls() gives a new socket at once, which carries data encrypted',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      const secure = plain.startTls()
      equal(secure.secureTransport, 'on')
      equal(secure.upgraded, false)
      equal(plain.secureTransport, 'starttls')
      equal((await secure.opened).remoteAddress, t.address)
      await echoes(secure, 'secret')
      const { clear, handshake, protocol } = await t.peer.report()
      deepEqual({ clear, handshake, protocol }, { clear: COMMAND, handshake: '16', protocol: 'TLSv1.3' })
    },
  },
  {
    id: 'S-161b',
    title: 'the new socket inherits allowHalfOpen',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const secure = (await agree(t, { allowHalfOpen: true })).startTls()
      await secure.opened
      await t.peer.end()
      equal((await readSome(secure.readable.getReader(), 1)).done, true)
      await t.pending(secure.closed, 'closed')
      await secure.writable.getWriter().write('half')
      equal((await t.peer.received(COMMAND.length + 4)).text, `${COMMAND}half`)
    },
  },
  {
    id: 'S-161c',
    title: 'a name is sent as SNI by the upgrade',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const secure = (await agree(t, {}, `localhost:${t.peer.port}`)).startTls()
      await secure.opened
      equal((await t.peer.saw('secure')).serverName, 'localhost')
    },
  },
  {
    id: 'S-162a',
    title: 'what is queued on the old writable goes out in clear before the handshake',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const socket = await t.open(STARTTLS)
      const reader = socket.readable.getReader()
      equal((await readSome(reader, GREETING.length)).text, GREETING)
      reader.releaseLock()
      const writer = socket.writable.getWriter()
      const written = writer.write('NOOP\r\n')
      writer.releaseLock()
      await written
      equal((await t.peer.received(6)).clear, 'NOOP\r\n')
    },
  },
  {
    id: 'S-163a',
    title: 'the old socket is upgraded and closed by the upgrade',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      equal(plain.upgraded, false)
      const secure = plain.startTls()
      equal(await plain.closed, undefined)
      equal(plain.upgraded, true)
      await secure.opened
    },
  },
  {
    id: 'S-163b',
    title: 'the old socket is closed even if the handshake fails',
    peer: 'starttls-untrusted',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      const secure = plain.startTls()
      const failed = rejects(secure.opened, {})
      equal(await plain.closed, undefined)
      equal(plain.upgraded, true)
      equal((await plain.opened).remoteAddress, t.address)
      await failed
    },
  },
  {
    id: 'S-163c',
    title: 'close() on the old socket does not disturb the new one',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      const secure = plain.startTls()
      await secure.opened
      equal(await plain.close(), undefined)
      await echoes(secure, 'still here')
    },
  },
  {
    id: 'S-164',
    title: 'the order is new writer.ready, old closed, new opened',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      const secure = plain.startTls()
      const order = new Order()
      await Promise.all([
        order.note('new opened', secure.opened),
        order.note('old closed', plain.closed),
        order.note('new ready', secure.writable.getWriter().ready),
      ])
      deepEqual(order.events, ['new ready', 'old closed', 'new opened'])
    },
  },
  {
    id: 'S-165a',
    title: 'the old streams are locked for good',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      plain.startTls()
      await plain.closed
      deepEqual([plain.readable.locked, plain.writable.locked], [true, true])
      throws(() => plain.readable.getReader(), { name: 'TypeError', message: READABLE_LOCKED })
      throws(() => plain.writable.getWriter(), { name: 'TypeError', message: WRITABLE_LOCKED })
      await rejects(plain.readable.cancel(), { name: 'TypeError', message: READABLE_LOCKED }, 'cancel')
      await rejects(plain.writable.close(), { name: 'TypeError', message: WRITABLE_LOCKED }, 'close')
      await rejects(plain.writable.abort(), { name: 'TypeError', message: WRITABLE_LOCKED }, 'abort')
    },
  },
  {
    id: 'S-165b',
    title: 'the old readable is no body any more',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      plain.startTls()
      throws(() => new Response(plain.readable), { name: 'TypeError', message: DISTURBED })
    },
  },
  {
    id: 'S-169a',
    title: 'expectedServerHostname replaces the name for SNI and verification',
    peer: 'starttls-wrong-name',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls({ expectedServerHostname: 'wrong.example' })
      await secure.opened
      equal((await t.peer.saw('secure')).serverName, 'wrong.example')
      await echoes(secure, 'secret')
    },
  },
  {
    id: 'S-169b',
    title: 'an expectedServerHostname that the certificate does not have fails',
    peer: 'starttls',
    async run(t) {
      const secure = (await agree(t)).startTls({ expectedServerHostname: 'other.example' })
      await rejects(secure.opened, HANDSHAKE_FAILED)
    },
  },
  {
    id: 'S-169c',
    title: 'an empty expectedServerHostname is as good as none',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls({ expectedServerHostname: '' })
      await secure.opened
    },
  },
  {
    id: 'S-161d',
    title: 'megabytes go through an upgraded socket whole',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls()
      const data = pattern(LARGE)
      const written = secure.writable.getWriter().write(data)
      const echoed = await readExactly(secure.readable.getReader(), LARGE)
      await written
      equal(await sha256(echoed), await sha256(data))
    },
  },
  {
    id: 'S-161e',
    title: 'the end of the peer closes an upgraded socket',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls()
      await secure.opened
      await t.peer.end()
      equal((await readSome(secure.readable.getReader(), 1)).done, true)
      equal(await secure.closed, undefined)
    },
  },
  {
    id: 'S-161f',
    title: 'close() ends an upgraded socket',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls()
      await secure.opened
      const read = rejects(secure.readable.getReader().read(), { name: 'TypeError', message: SOCKET_CLOSED })
      await secure.close()
      await read
      await t.peer.saw('end')
    },
  },
]

const refusals: readonly Behaviour[] = [
  {
    id: 'S-160b',
    title: 'startTls() on a plain socket throws',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      throws(() => socket.startTls(), {
        name: 'TypeError',
        message: "The `secureTransport` socket option must be set to 'starttls' for startTls to be used.",
      })
    },
  },
  {
    id: 'S-160c',
    title: 'startTls() on a closed socket throws',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const socket = await t.open(STARTTLS)
      await socket.close()
      throws(() => socket.startTls(), GONE)
    },
  },
  {
    id: 'S-160d',
    title: 'startTls() after the upgrade is complete throws',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      await plain.startTls().opened
      throws(() => plain.startTls(), GONE)
    },
  },
  {
    id: 'S-160e',
    title: 'a second startTls() before the upgrade is complete throws',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const plain = await agree(t)
      const secure = plain.startTls()
      throws(() => plain.startTls(), {
        name: 'TypeError',
        message:
          /^startTls (has already been called on this socket, or the socket was transferred over RPC|can only be called once)\.$/,
      })
      await secure.opened
    },
  },
  {
    id: 'S-160f',
    title: 'startTls() on the socket that startTls() gave throws',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls()
      throws(() => secure.startTls(), { name: 'TypeError', message: 'Cannot startTls on a TLS socket.' })
      await secure.opened
    },
  },
  {
    id: 'S-166a',
    title: 'startTls() with a reader still there does not throw: the new socket is closed with an error',
    peer: 'starttls',
    async run(t) {
      const plain = await t.open(STARTTLS)
      const reader = plain.readable.getReader()
      const secure = plain.startTls()
      await rejects(secure.closed, { name: 'TypeError', message: 'The ReadableStream has been locked to a reader.' })
      await t.pending(secure.opened, 'opened of the new socket')
      equal(plain.upgraded, false)
      equal((await readSome(reader, GREETING.length)).text, GREETING)
    },
  },
  {
    id: 'S-166b',
    title: 'startTls() with a writer still there does the same',
    peer: 'starttls',
    async run(t) {
      const plain = await t.open(STARTTLS)
      const writer = plain.writable.getWriter()
      const secure = plain.startTls()
      await rejects(secure.closed, { name: 'TypeError', message: WRITABLE_LOCKED })
      equal(plain.upgraded, false)
      await writer.write('NOOP\r\n')
      equal((await t.peer.received(6)).text, 'NOOP\r\n')
    },
  },
  ...each('S-168', [undefined, null, {}, { servername: 'x', rejectUnauthorized: false, ca: 'y' }], (options) => ({
    title: `startTls(${JSON.stringify(options) ?? 'undefined'}) upgrades`,
    peer: 'starttls',
    async run(t) {
      const secure = (await agree(t)).startTls(options)
      await secure.opened
      await echoes(secure, 'secret')
    },
  })),
  {
    id: 'S-168e',
    title: 'startTls() with a primitive throws',
    peer: 'starttls',
    binding: true,
    async run(t) {
      const socket = await t.open(STARTTLS)
      for (const value of [1, 'localhost', true]) {
        throws(
          () => socket.startTls(value),
          { name: 'TypeError', message: /parameter 1 is not of type 'TlsOptions'\.$/ },
          String(value),
        )
      }
    },
  },
  ...each('S-170', BAD, ([peer, what]) => ({
    title: `${what} rejects opened and closed of the new socket`,
    peer,
    async run(t) {
      const secure = (await agree(t)).startTls()
      await Promise.all([
        rejects(secure.opened, HANDSHAKE_FAILED, 'opened'),
        rejects(secure.closed, HANDSHAKE_FAILED, 'closed'),
      ])
    },
  })),
  {
    id: 'S-170e',
    title: 'reads and writes of a failed upgrade reject, and nothing of them was sent',
    peer: 'starttls-untrusted',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls()
      const writing = rejects(secure.writable.getWriter().write('secret'), { name: 'Error' }, 'the write')
      const reading = rejects(secure.readable.getReader().read(), { name: 'Error' }, 'the read')
      await Promise.all([writing, reading])
      const { text, clear } = await t.peer.saw('close')
      deepEqual({ text, clear }, { text: COMMAND, clear: COMMAND })
    },
  },
  {
    id: 'S-170f',
    title: 'nothing is sent in clear to a server that goes on in clear',
    peer: 'starttls-clear',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls()
      await rejects(secure.writable.getWriter().write('password'), { name: 'Error' })
      const { text } = await t.peer.saw('close')
      equal(text.includes('password'), false)
    },
  },
  {
    id: 'S-170h',
    title: 'reads and writes of a failed upgrade say what opened says',
    peer: 'starttls-untrusted',
    async run(t) {
      const secure = (await agree(t)).startTls()
      await Promise.all([
        rejects(secure.writable.getWriter().write('secret'), HANDSHAKE_FAILED, 'the write'),
        rejects(secure.readable.getReader().read(), HANDSHAKE_FAILED, 'the read'),
      ])
    },
  },
  {
    id: 'S-170g',
    title: 'a server that does not answer the handshake leaves opened pending',
    peer: 'starttls-silent',
    binding: true,
    async run(t) {
      const secure = (await agree(t)).startTls()
      await t.pending(secure.opened, 'opened')
    },
  },
  {
    id: 'S-167',
    title: 'clear bytes injected behind the reply and not read are no part of the secure stream: the upgrade fails',
    peer: 'starttls-inject',
    async run(t) {
      const socket = await t.open(STARTTLS)
      const reader = socket.readable.getReader({ mode: 'byob' })
      await reader.read(new Uint8Array(GREETING.length), { min: GREETING.length })
      const writer = socket.writable.getWriter()
      await writer.write(COMMAND)
      // Takes the reply and not one byte more: what was injected is left where it is.
      const reply = await reader.read(new Uint8Array(REPLY.length), { min: REPLY.length })
      equal(reply.value?.byteLength, REPLY.length)
      reader.releaseLock()
      writer.releaseLock()
      const secure = socket.startTls()
      await rejects(secure.opened, HANDSHAKE_FAILED, 'opened')
      await rejects(secure.readable.getReader().read(), { name: 'Error' }, 'the read')
    },
  },
  {
    id: 'S-171',
    title: 'startTls() after the connection failed does not throw, and opened of the new socket is pending',
    peer: 'refuse',
    async run(t) {
      const socket = t.connect(t.address, STARTTLS)
      await rejects(socket.opened, { name: 'Error', message: REFUSED })
      const secure = socket.startTls()
      ok(secure !== socket, 'a new socket')
      await t.pending(secure.opened, 'opened of the new socket')
    },
  },
]

/** StartTLS (reference, section 13). */
export const starttls: readonly Behaviour[] = [...upgrade, ...refusals]
