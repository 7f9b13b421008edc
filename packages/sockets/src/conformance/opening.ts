import { behaviour, describe, infoOf, outcome, recorder, state, textOf, thrown } from './behaviour.ts'
import type { Behaviour, Harness } from './behaviour.ts'
import type { Socket } from '../socket.ts'

const REFUSED = 'Error: proxy request failed, cannot connect to the specified address'
const HINT =
  '. It looks like you might be trying to connect to a HTTP-based service \u2014 consider using fetch instead'
const WRITE_REFUSED = 'Error: jsg.Error: proxy request failed, cannot connect to the specified address'
const CLOSED = 'TypeError: This WritableStream has been closed.'

/** A socket to a port where nobody listens. */
async function doomed(h: Harness): Promise<Socket> {
  return h.connect(`127.0.0.1:${await h.refused()}`)
}

/** A socket that has failed to open. */
async function failed(h: Harness): Promise<Socket> {
  const socket = await doomed(h)
  await outcome(socket.opened)
  return socket
}

/** S-050 to S-067: opening, and failing to. */
export const OPENING: readonly Behaviour[] = [
  behaviour(
    'S-050 connect returns before anything has happened',
    async (h) => {
      const { address } = await h.peer()
      return Promise.race([h.connect(address).opened.then(() => 'open'), Promise.resolve('not yet')])
    },
    'not yet',
  ),
  behaviour(
    'S-051 opened tells the address that was asked for and no local one',
    async (h) => infoOf(await h.connect(`LOCALHOST:${(await h.peer()).port}`).opened),
    { remoteAddress: 'LOCALHOST:port', localAddress: 'undefined' },
  ),
  behaviour(
    'S-051 the info is one plain object that may be changed',
    async (h) => {
      const socket = h.connect((await h.peer()).address)
      const info = await socket.opened
      info.remoteAddress = 'changed'
      return [(await socket.opened).remoteAddress, Object.getPrototypeOf(info) === Object.prototype]
    },
    ['changed', true],
  ),
  behaviour(
    'S-053 writes before the connection is open are sent in order, and settle after opened',
    async (h) => {
      const peer = await h.peer()
      const socket = h.connect(peer.address)
      const { log, watch } = recorder()
      const writer = socket.writable.getWriter()
      watch('first', writer.write('one '))
      watch('second', writer.write('two'))
      watch('opened', socket.opened)
      watch('ready', writer.ready)
      const text = await peer.received(7)
      await h.quiet()
      return [log, text]
    },
    [['ready', 'opened', 'first', 'second'], 'one two'],
  ),
  behaviour(
    'S-053 a close of the writer before the connection is open is honoured',
    async (h) => {
      const peer = await h.peer()
      const writer = h.connect(peer.address).writable.getWriter()
      const write = writer.write('all')
      await Promise.all([write, writer.close()])
      return [await peer.received(3), await peer.ended()]
    },
    ['all', 'fin'],
  ),
  behaviour(
    'S-053 a read before the connection is open waits',
    async (h) => {
      const peer = await h.peer()
      const read = h.connect(peer.address).readable.getReader().read()
      await peer.send('hello')
      return textOf(read)
    },
    { done: false, text: 'hello' },
  ),
  behaviour(
    'S-060 opened and closed of a refused connection reject with errors of their own, closed first',
    async (h) => {
      const socket = await doomed(h)
      const { log, watch } = recorder()
      watch('opened', socket.opened)
      watch('closed', socket.closed)
      const errors = await Promise.all(
        [socket.opened, socket.closed].map((one) => one.catch((error: unknown) => error)),
      )
      return [errors.map(describe), errors[0] === errors[1], log]
    },
    [[REFUSED, REFUSED], false, ['closed rejected', 'opened rejected']],
  ),
  behaviour(
    'S-060 the error has nothing enumerable of its own',
    async (h) => Object.keys((await (await doomed(h)).opened.catch((error: unknown) => error)) as object),
    [],
  ),
  ...[80, 443].flatMap((port) =>
    [`nobody.invalid:${port}`, { hostname: 'nobody.invalid', port }].map((address) =>
      behaviour(
        `S-061 a failure on port ${port} (${typeof address}) points to fetch`,
        (h) => outcome(h.connect(address).opened),
        { error: REFUSED + HINT },
      ),
    ),
  ),
  behaviour(
    'S-061 the hint is in what writes reject with as well',
    (h) => outcome(h.connect('nobody.invalid:80').writable.getWriter().write('x')),
    { error: WRITE_REFUSED + HINT },
  ),
  behaviour(
    'S-062 a read that waits for a refused connection is cancelled',
    async (h) => {
      const reader = (await doomed(h)).readable.getReader()
      return [await outcome(reader.read()), await outcome(reader.closed), await textOf(reader.read())]
    },
    [{ error: 'Error: Stream was cancelled.' }, { ok: 'undefined' }, { done: true, text: 'undefined' }],
  ),
  behaviour(
    'S-062 a read after the failure finds the end',
    async (h) => textOf((await failed(h)).readable.getReader().read()),
    { done: true, text: 'undefined' },
  ),
  behaviour(
    'S-063 writes that wait for a refused connection reject, as does closed; later ones find the stream closed',
    async (h) => {
      const writer = (await doomed(h)).writable.getWriter()
      const [first, second] = await Promise.all([writer.write('x'), writer.write('y')].map(outcome))
      return [first, second, await outcome(writer.closed), await outcome(writer.write('z')), writer.desiredSize]
    },
    [{ error: WRITE_REFUSED }, { error: WRITE_REFUSED }, { error: WRITE_REFUSED }, { error: CLOSED }, 0],
  ),
  behaviour(
    'S-063 a writer taken after the failure is told of it by its first write',
    async (h) => {
      const writer = (await failed(h)).writable.getWriter()
      return [writer.desiredSize, await outcome(writer.write('x')), await outcome(writer.closed)]
    },
    [null, { error: WRITE_REFUSED }, { error: WRITE_REFUSED }],
  ),
  behaviour(
    'S-064 a close of the writer before the failure resolves',
    async (h) => {
      const writer = (await doomed(h)).writable.getWriter()
      return [await outcome(writer.close()), await outcome(writer.closed), await outcome(writer.write('x'))]
    },
    [{ ok: 'undefined' }, { error: WRITE_REFUSED }, { error: CLOSED }],
  ),
  behaviour(
    'S-064 behind a write, that write rejects and the close still resolves',
    async (h) => {
      const writer = (await doomed(h)).writable.getWriter()
      return Promise.all([writer.write('x'), writer.close()].map(outcome))
    },
    [{ error: WRITE_REFUSED }, { ok: 'undefined' }],
  ),
  behaviour(
    'S-065 the first close() resolves though the connection failed, later ones reject',
    async (h) => {
      const socket = await failed(h)
      return [await outcome(socket.close()), await outcome(socket.close())]
    },
    [{ ok: 'undefined' }, { error: REFUSED }],
  ),
  behaviour(
    'S-065 a close() before the failure resolves too, and does not hide it',
    async (h) => {
      const socket = await doomed(h)
      return [await outcome(socket.close()), await outcome(socket.opened), await outcome(socket.closed)]
    },
    [{ ok: 'undefined' }, { error: REFUSED }, { error: REFUSED }],
  ),
  behaviour(
    'S-066 the readable of a failed socket is no body',
    async (h) => {
      const { readable } = await failed(h)
      return String(thrown(() => new Response(readable))).startsWith('TypeError: ')
    },
    true,
  ),
  behaviour(
    'S-062 reader and writer of a failed socket may still be cancelled and aborted',
    async (h) => {
      const socket = await failed(h)
      return [await outcome(socket.readable.cancel()), await outcome(socket.writable.abort())]
    },
    [{ ok: 'undefined' }, { ok: 'undefined' }],
  ),
  behaviour(
    'S-055 a peer that never speaks TLS leaves opened and close() pending',
    async (h) => {
      const peer = await h.peer()
      const socket = h.connect(peer.address, { secureTransport: 'on' })
      await peer.accepted()
      return [await state(h, socket.opened), await state(h, socket.close())]
    },
    ['pending', 'pending'],
  ),
]
