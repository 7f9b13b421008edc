import { deepEqual, equal, rejects, throws } from '../support/assert.ts'
import { each } from '../support/behaviour.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { readSome } from '../support/streams.ts'
import { NOT_AN_INTEGER, WRITABLE_CLOSED } from '../support/texts.ts'
import type { Trial } from '../support/trial.ts'

/** Whether the writable outlives the peer's end. */
async function staysWritable(t: Trial, options: unknown): Promise<boolean> {
  const socket = await t.open(options)
  const writer = socket.writable.getWriter()
  await t.peer.end()
  await readSome(socket.readable.getReader(), 1)
  await t.settle()
  try {
    await writer.write('x')
    return true
  } catch {
    return false
  }
}

/** The second argument (reference, section 3). */
export const options: readonly Behaviour[] = [
  ...each('S-040', [undefined, {}, []], (value) => ({
    title: `options of ${JSON.stringify(value) ?? 'undefined'} are the defaults`,
    peer: 'live',
    async run(t) {
      const socket = await t.open(value)
      equal(socket.secureTransport, 'off')
    },
  })),
  {
    id: 'S-040d',
    title: 'options of null throw TypeError',
    peer: 'live',
    async run({ connect, address }) {
      throws(() => connect(address, null), {
        name: 'TypeError',
        message: /required members from an undefined or null value/,
      })
    },
  },
  {
    id: 'S-040e',
    title: 'options that are a primitive throw TypeError',
    peer: 'live',
    async run({ connect, address }) {
      for (const value of [1, 'off', true]) {
        throws(
          () => connect(address, value),
          { name: 'TypeError', message: /parameter 2 is not of type 'SocketOptions'\.$/ },
          String(value),
        )
      }
    },
  },
  ...each('S-041', ['off', 'starttls'], (secureTransport) => ({
    title: `secureTransport "${secureTransport}" is what the socket reports, and TCP on the wire`,
    peer: 'echo',
    binding: true,
    async run(t) {
      const socket = await t.open({ secureTransport })
      equal(socket.secureTransport, secureTransport)
      await socket.writable.getWriter().write('clear')
      equal((await readSome(socket.readable.getReader(), 5)).text, 'clear')
    },
  })),
  {
    id: 'S-041c',
    title: 'secureTransport of undefined is off',
    peer: 'live',
    async run(t) {
      equal((await t.open({ secureTransport: undefined })).secureTransport, 'off')
    },
  },
  {
    id: 'S-041d',
    title: 'secureTransport of anything else is refused by name',
    peer: 'live',
    async run({ connect, address }) {
      for (const value of ['OFF', 'use', '', null, 1, true, 'startTls', 'On']) {
        throws(
          () => connect(address, { secureTransport: value }),
          { name: 'TypeError', message: `Unsupported value in secureTransport socket option: ${value}` },
          String(value),
        )
      }
    },
  },
  ...each('S-042', [undefined, false, 0, ''], (allowHalfOpen) => ({
    title: `allowHalfOpen of ${JSON.stringify(allowHalfOpen) ?? 'undefined'} is false`,
    peer: 'live',
    async run(t) {
      equal(await staysWritable(t, { allowHalfOpen }), false, 'stays writable')
    },
  })),
  ...each(
    'S-042',
    [true, 'false', 1, {}],
    (allowHalfOpen) => ({
      title: `allowHalfOpen of ${JSON.stringify(allowHalfOpen)} is true`,
      peer: 'live',
      async run(t) {
        equal(await staysWritable(t, { allowHalfOpen }), true, 'stays writable')
      },
    }),
    'e',
  ),
  {
    id: 'S-043a',
    title: 'desiredSize starts at highWaterMark and falls by what is queued',
    peer: 'live',
    async run({ connect, address }) {
      const socket = connect(address, { highWaterMark: 10 })
      const writer = socket.writable.getWriter()
      equal(writer.desiredSize, 10)
      const written = writer.write('1234')
      equal(writer.desiredSize, 6)
      await written
      equal(writer.desiredSize, 10, 'after the write')
    },
  },
  {
    id: 'S-043b',
    title: 'writer.ready waits while more than highWaterMark is queued',
    peer: 'live',
    async run({ connect, address }) {
      const socket = connect(address, { highWaterMark: 4 })
      const writer = socket.writable.getWriter()
      await writer.ready
      const order: string[] = []
      const written = writer.write('12345678').then(() => order.push('written'))
      await writer.ready.then(() => order.push('ready'))
      await written
      deepEqual(order.toSorted(), ['ready', 'written'])
      equal(writer.desiredSize, 4)
    },
  },
  {
    id: 'S-043c',
    title: 'highWaterMark is converted to an integer',
    peer: 'live',
    async run({ connect, address }) {
      const cases = [
        [null, 0],
        [1.5, 1],
        ['5', 5],
        [true, 1],
        [7n, 7],
      ] as const
      for (const [highWaterMark, desiredSize] of cases) {
        const socket = connect(address, { highWaterMark })
        const writer = socket.writable.getWriter()
        equal(writer.desiredSize, desiredSize, String(highWaterMark))
        writer.releaseLock()
        await socket.close()
      }
    },
  },
  {
    id: 'S-043d',
    title: 'a negative highWaterMark is refused',
    peer: 'live',
    async run({ connect, address }) {
      throws(() => connect(address, { highWaterMark: -1 }), {
        name: 'TypeError',
        message: 'The value cannot be converted because it is negative and this API expects a positive bigint.',
      })
    },
  },
  {
    id: 'S-043e',
    title: 'a highWaterMark that is no finite number is refused',
    peer: 'live',
    async run({ connect, address }) {
      for (const highWaterMark of [Number.NaN, Number.POSITIVE_INFINITY, 'abc']) {
        throws(() => connect(address, { highWaterMark }), { name: 'TypeError', message: NOT_AN_INTEGER })
      }
    },
  },
  {
    id: 'S-044',
    title: 'without highWaterMark desiredSize is 1 whatever is queued, and ready stays resolved',
    peer: 'live',
    async run({ connect, address }) {
      const socket = connect(address)
      const writer = socket.writable.getWriter()
      equal(writer.desiredSize, 1)
      const written = writer.write(new Uint8Array(100_000))
      equal(writer.desiredSize, 1, 'with bytes queued')
      await writer.ready
      await written
      equal(writer.desiredSize, 1, 'afterwards')
    },
  },
  {
    id: 'S-045a',
    title: 'unknown options are ignored',
    peer: 'live',
    async run(t) {
      const socket = await t.open({ sni: 'other.example', alpn: ['h2'], noDelay: true })
      equal(socket.secureTransport, 'off')
    },
  },
  {
    id: 'S-045b',
    title: 'opened says nothing of ALPN',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      equal('alpn' in (await socket.opened), false)
    },
  },
  {
    id: 'S-042i',
    title: 'after the end of a socket that is not half-open, writes are refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.end()
      await readSome(socket.readable.getReader(), 1)
      await socket.closed
      await rejects(socket.writable.getWriter().write('x'), { name: 'TypeError', message: WRITABLE_CLOSED })
    },
  },
]
