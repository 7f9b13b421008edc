import { equal, rejects, throws } from '../support/assert.ts'
import { each } from '../support/behaviour.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { ADDRESS_CHARACTERS, NOT_AN_INTEGER, REFUSED } from '../support/texts.ts'
import type { Trial } from '../support/trial.ts'

async function failsLater(t: Trial, address: unknown, what: string): Promise<void> {
  const socket = t.connect(address)
  t.step = `opened of ${what}`
  await rejects(socket.opened, { name: 'Error', message: REFUSED }, what)
}

function refusesPorts(title: string, message: string | RegExp, ports: readonly unknown[]): Omit<Behaviour, 'id'> {
  return {
    title,
    peer: 'live',
    async run({ connect }) {
      for (const port of ports) {
        throws(() => connect({ hostname: 'h', port }), { name: 'TypeError', message }, String(port))
      }
    },
  }
}

/** A port that is converted to the peer's. */
function acceptsPort(title: string, convert: (port: number) => unknown): Omit<Behaviour, 'id'> {
  return {
    title,
    peer: 'live',
    async run(t) {
      const socket = await t.open(undefined, { hostname: '127.0.0.1', port: convert(t.peer.port) })
      await t.peer.accepted()
      equal((await socket.opened).remoteAddress, t.address)
    },
  }
}

/** The address as an object (reference, S-022 to S-029). */
export const addressObject: readonly Behaviour[] = [
  {
    id: 'S-022a',
    title: 'an object with hostname and port connects',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open(undefined, { hostname: t.peer.host, port: t.peer.port })
      await t.peer.accepted()
      equal((await socket.opened).remoteAddress, t.address)
    },
  },
  {
    id: 'S-022b',
    title: 'an empty hostname is taken as text and fails when it is dialled',
    peer: 'live',
    run: (t) => failsLater(t, { hostname: '', port: 1 }, 'an empty hostname'),
  },
  {
    id: 'S-022c',
    title: 'a hostname that is no string is converted to one',
    peer: 'live',
    async run(t) {
      const socket = await t.open(undefined, { hostname: 2_130_706_433, port: t.peer.port })
      equal((await socket.opened).remoteAddress, `2130706433:${t.peer.port}`)
    },
  },
  {
    id: 'S-022d',
    title: 'characters that no address has are refused in a hostname',
    peer: 'live',
    async run({ connect }) {
      for (const hostname of ['a b', 'a/b', 'u@h', 'bücher', 'a,b', ' h', 'h\n', 'x'.repeat(255)]) {
        throws(() => connect({ hostname, port: 1 }), { name: 'TypeError', message: ADDRESS_CHARACTERS }, hostname)
      }
    },
  },
  {
    id: 'S-023d',
    title: 'a bracketed IPv6 literal is a hostname',
    peer: 'live',
    async run(t) {
      const socket = await t.open(undefined, { hostname: '[::1]', port: t.peer.port })
      equal((await socket.opened).remoteAddress, `[::1]:${t.peer.port}`)
    },
  },
  {
    id: 'S-023e',
    title: 'an IPv6 literal without brackets fails when it is dialled',
    peer: 'live',
    run: (t) => failsLater(t, { hostname: '::1', port: t.peer.port }, '::1'),
  },
  { id: 'S-027a', ...acceptsPort('a port in a string is converted', String) },
  { id: 'S-027b', ...acceptsPort('a fractional port is truncated', (port) => port + 0.7) },
  {
    id: 'S-027c',
    title: 'null, the empty string and false are port 0',
    peer: 'live',
    async run(t) {
      for (const port of [null, '', false]) await failsLater(t, { hostname: '127.0.0.1', port }, String(port))
    },
  },
  {
    id: 'S-027d',
    ...refusesPorts('a port that is no finite number is refused', NOT_AN_INTEGER, [
      undefined,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      'abc',
      {},
    ]),
  },
  {
    id: 'S-027e',
    ...refusesPorts(
      'a negative port is refused',
      'The value cannot be converted because it is negative and this API expects a positive number.',
      [-1, '-80'],
    ),
  },
  {
    id: 'S-027f',
    ...refusesPorts(
      'a port above 65535 is refused',
      'Value out of range. Must be less than or equal to 65535.',
      [65_536, 1e9],
    ),
  },
  { id: 'S-027g', ...refusesPorts('a BigInt is no port', 'Cannot convert a BigInt value to a number', [80n]) },
  {
    id: 'S-027h',
    title: 'a missing port is refused',
    peer: 'live',
    async run({ connect }) {
      throws(() => connect({ hostname: 'h' }), { name: 'TypeError', message: NOT_AN_INTEGER })
    },
  },
  {
    id: 'S-028a',
    title: 'a throwing getter of the address throws its own error',
    peer: 'live',
    async run({ connect }) {
      const broken = {
        port: 1,
        get hostname(): string {
          throw new RangeError('no name today')
        },
      }
      throws(() => connect(broken), { name: 'RangeError', message: 'no name today' })
    },
  },
  {
    id: 'S-028b',
    title: 'other keys of the address are ignored, and host is not hostname',
    peer: 'live',
    async run(t) {
      const { host, port } = t.peer
      const socket = await t.open(undefined, { hostname: host, port, host: 'elsewhere', path: '/', tls: true })
      equal((await socket.opened).remoteAddress, t.address)
      await t.peer.accepted()
      equal(await t.peer.connections(), 1)
    },
  },
  {
    id: 'S-028c',
    title: 'a URL object is an address',
    peer: 'live',
    async run(t) {
      const socket = await t.open(undefined, new URL(`http://${t.address}/`))
      equal((await socket.opened).remoteAddress, t.address)
    },
  },
  ...each(
    'S-029',
    [undefined, null],
    (value) => ({
      title: `connect(${value}) throws TypeError`,
      peer: 'live',
      async run({ connect }) {
        throws(() => connect(value), { name: 'TypeError', message: /required members from an undefined or null value/ })
      },
    }),
    'd',
  ),
  {
    id: 'S-029f',
    title: 'arrays, dates, functions and String objects are objects without a port',
    peer: 'live',
    async run({ connect }) {
      for (const value of [[], ['h', 1], new Date(0), () => 'h:1', Object('h:1') as object]) {
        throws(() => connect(value), { name: 'TypeError', message: NOT_AN_INTEGER }, typeof value)
      }
    },
  },
]
