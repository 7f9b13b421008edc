import { behaviour, outcome, pair, state, thrown } from './behaviour.ts'
import type { Behaviour, Harness } from './behaviour.ts'

const NOT_OPTIONS =
  "TypeError: Failed to execute 'connect' on 'SocketsModule': parameter 2 is not of type 'SocketOptions'."
const INTEGER = 'TypeError: The value cannot be converted because it is not an integer.'
const NEGATIVE =
  'TypeError: The value cannot be converted because it is negative and this API expects a positive bigint.'
const TRUNCATED =
  'TypeError: The value cannot be converted because it is either negative and this API expects a positive bigint, or the value would be truncated.'

async function budget(h: Harness, highWaterMark: unknown): Promise<unknown> {
  const peer = await h.peer()
  return thrown(() => h.connect(peer.address, { highWaterMark }).writable.getWriter().desiredSize)
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value)
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value))
}

/** S-040 to S-045: the second argument. */
export const OPTIONS: readonly Behaviour[] = [
  ...[undefined, {}, [], () => {}].map((options) =>
    behaviour(
      `S-040 ${Object.prototype.toString.call(options)} means the defaults`,
      async (h) => {
        const { socket } = await pair(h, options)
        return [socket.secureTransport, socket.writable.getWriter().desiredSize]
      },
      ['off', 1],
    ),
  ),
  behaviour(
    'S-040 null is not options',
    (h) => String(thrown(() => h.connect('h:1', null))).startsWith('TypeError: Cannot initialize '),
    true,
  ),
  ...[5, 'off', true, 5n].map((options) =>
    behaviour(`S-040 ${shown(options)} is not options`, (h) => thrown(() => h.connect('h:1', options)), NOT_OPTIONS),
  ),
  behaviour(
    'S-040 options that are none are found before a wrong address',
    (h) => thrown(() => h.connect('h', 5)),
    NOT_OPTIONS,
  ),
  ...['OFF', 'use', '', null, 1, true, 'startTls', ['on', 'off']].map((value) =>
    behaviour(
      `S-041 secureTransport ${shown(value)} is unsupported`,
      (h) => thrown(() => h.connect('h:1', { secureTransport: value })),
      `TypeError: Unsupported value in secureTransport socket option: ${String(value)}`,
    ),
  ),
  behaviour(
    'S-041 secureTransport undefined is off',
    async (h) => (await pair(h, { secureTransport: undefined })).socket.secureTransport,
    'off',
  ),
  behaviour(
    'S-042 allowHalfOpen is taken by its truth',
    async (h) => {
      const { socket, peer } = await pair(h, { allowHalfOpen: 'false' })
      await peer.end()
      await socket.readable.getReader().read()
      return state(h, socket.closed)
    },
    'pending',
  ),
  ...(
    [
      [0, 0],
      [16, 16],
      [null, 0],
      [1.5, 1],
      ['5', 5],
      [true, 1],
      [7n, 7],
      [-1, NEGATIVE],
      [-0.5, NEGATIVE],
      ['-5', NEGATIVE],
      [Number.NaN, INTEGER],
      [Infinity, INTEGER],
      ['abc', INTEGER],
      [{}, INTEGER],
      [-1n, TRUNCATED],
      [2n ** 64n, TRUNCATED],
      [1e300, 'TypeError: Value out of range. Must be less than or equal to 18446744073709551615.'],
    ] as const
  ).map(([value, result]) =>
    behaviour(
      `S-043 highWaterMark ${shown(value)} gives ${String(result).slice(0, 40)}`,
      (h) => budget(h, value),
      result,
    ),
  ),
  behaviour(
    'S-043 desiredSize falls by what is queued and rises as it leaves',
    async (h) => {
      const { socket } = await pair(h, { highWaterMark: 10 })
      const writer = socket.writable.getWriter()
      const first = writer.write('123456')
      const sizes = [writer.desiredSize]
      const second = writer.write('12345678')
      sizes.push(writer.desiredSize)
      await first
      sizes.push(writer.desiredSize)
      await second
      return [...sizes, writer.desiredSize]
    },
    [4, -4, 2, 10],
  ),
  behaviour(
    'S-043 ready waits while the budget is used up',
    async (h) => {
      const { socket } = await pair(h, { highWaterMark: 4 })
      const writer = socket.writable.getWriter()
      const before = writer.ready
      const write = writer.write('1234')
      const during = writer.ready
      const pending = await Promise.race([during.then(() => 'ready'), Promise.resolve('pending')])
      await write
      return [before === during, pending, await outcome(writer.ready), during === writer.ready]
    },
    [false, 'pending', { ok: 'undefined' }, true],
  ),
  behaviour(
    'S-044 without a budget desiredSize is 1 whatever is queued, and ready stays resolved',
    async (h) => {
      const peer = await h.peer()
      const writer = h.connect(peer.address).writable.getWriter()
      const write = writer.write('queued before the connection is open')
      const sizes = [writer.desiredSize, await outcome(writer.ready)]
      await write
      return [...sizes, writer.desiredSize]
    },
    [1, { ok: 'undefined' }, 1],
  ),
  behaviour(
    'S-045 unknown options are ignored, also such as other drafts have',
    async (h) => (await pair(h, { sni: 'x', alpn: ['y'], anything: 1 })).socket.secureTransport,
    'off',
  ),
]
