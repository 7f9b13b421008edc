import { behaviour, outcome, textOf, thrown } from './behaviour.ts'
import type { Behaviour, Harness } from './behaviour.ts'

const HOST = 'TypeError: Specified address is missing hostname.'
const PORT = 'TypeError: Specified address is missing port.'
const PARSE = 'TypeError: Specified address could not be parsed.'
const CHARS = 'TypeError: Specified address is empty string, contains unsupported characters or is too long.'
const REFUSED = { error: 'Error: proxy request failed, cannot connect to the specified address' }
const INTEGER = 'TypeError: The value cannot be converted because it is not an integer.'
const NEGATIVE =
  'TypeError: The value cannot be converted because it is negative and this API expects a positive number.'
const RANGE = 'TypeError: Value out of range. Must be less than or equal to 65535.'

/** Text that is refused, by the words it is refused with. */
const WRONG_TEXT: readonly (readonly [result: string, addresses: readonly string[]])[] = [
  [HOST, ['', ' ', '//h:1']],
  [PORT, ['127.0.0.1', 'h', 'h:', '[::1]', 'http://h:1', 'tcp://h:1', 'h/:1', 'unix:/tmp/x']],
  [
    PARSE,
    [':1234', '@:1', 'h :1', 'h: 1', ' h:1', 'a b', 'h\\x:1', '<a>:1', '[zz]:1', '[127.0.0.1]:1', 'h:1:2', 'h:+80'],
  ],
  [PARSE, ['h:22x', 'h\u0000:1', '::1:1', '[::1%lo]:1', '[::1%25lo]:1', 'h:65536', 'h:-1', 'h:1.5', 'h:abc']],
  [CHARS, ['h:1 ', 'h\t:1', 'h\n:1', 'h:1\u0000', 'h:1/', 'h:1/p', 'h:1?q', 'h:1#f', 'u:p@h:1', '*:1', 'h%41:1']],
  [
    CHARS,
    ["a'b:1", 'a;b:1', 'h,1:1', 'b\u00fccher.example:1', '\u65e5\u672c:1', '\u{1f4a9}:1', `${'h'.repeat(254)}:1`],
  ],
]

/** Text that is accepted and never answers. */
const DEAD_TEXT: readonly string[] = [
  'host_under.invalid:1',
  '-host.invalid:1',
  'host..invalid:1',
  '.:1',
  'xn--zzzzz.invalid:1',
  '127.0.0.256:1',
  'nobody.invalid:1',
  '127.0.0.1:0',
  `${'h'.repeat(245)}.invalid:1`,
]

/** Spellings of loopback; `P` is the port. */
const LIVE_TEXT: readonly string[] = [
  '127.0.0.1:P',
  'localhost:P',
  'LOCALHOST:P',
  '127.1:P',
  '0x7f.1:P',
  '2130706433:P',
  '[::ffff:127.0.0.1]:P',
  '[::ffff:7f00:1]:P',
  '127.0.0.1:0P',
  '127.0.0.1:000P',
]

const WRONG_PORTS: readonly (readonly [port: unknown, result: string])[] = [
  [undefined, INTEGER],
  [Number.NaN, INTEGER],
  [Infinity, INTEGER],
  [-Infinity, INTEGER],
  ['abc', INTEGER],
  ['5abc', INTEGER],
  [{}, INTEGER],
  [-1, NEGATIVE],
  ['-1', NEGATIVE],
  [65_536, RANGE],
  ['65536', RANGE],
  [1e300, RANGE],
  [5n, 'TypeError: Cannot convert a BigInt value to a number'],
  [Symbol('port'), 'TypeError: Cannot convert a Symbol value to a number'],
]

/** Ports of objects, and what they mean. */
const PORTS: readonly (readonly [port: unknown, meaning: number])[] = [
  ['5432', 5432],
  [5432.7, 5432],
  [65_535.5, 65_535],
  [null, 0],
  ['', 0],
  [false, 0],
  [true, 1],
  [-0.5, 0],
  [' 5 ', 5],
  ['0x10', 16],
  [[7], 7],
]

async function echoes(h: Harness, address: (port: number) => unknown): Promise<unknown> {
  const peer = await h.peer({ echo: true })
  const socket = h.connect(address(peer.port))
  const writer = socket.writable.getWriter()
  await writer.write('x')
  return textOf(socket.readable.getReader().read())
}

/** The port an object means shows in the address that `opened` would report, and in what a failure says of it. */
function meaning(h: Harness, port: unknown): unknown {
  // The option is looked at after the port, so it proves that the port was taken, and nothing is dialled.
  return thrown(() => h.connect({ hostname: '127.0.0.1', port }, { secureTransport: 'never' }))
}

const TAKEN = 'TypeError: Unsupported value in secureTransport socket option: never'

function shown(value: unknown): string {
  return typeof value === 'string' && value.length > 40 ? `${value.slice(0, 5)}… of ${value.length}` : spelled(value)
}

function spelled(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return String(value)
  return typeof value === 'symbol' ? value.toString() : (JSON.stringify(value) ?? 'undefined')
}

/** S-020 to S-030: the first argument. */
export const ADDRESS: readonly Behaviour[] = [
  ...WRONG_TEXT.flatMap(([result, addresses]) =>
    addresses.map((address) =>
      behaviour(
        `S-020 ${shown(address)} throws ${result.slice(0, 49)}…`,
        (h) => thrown(() => h.connect(address)),
        result,
      ),
    ),
  ),
  ...DEAD_TEXT.map((address) =>
    behaviour(
      `S-020 ${shown(address)} is accepted and fails to open`,
      (h) => outcome(h.connect(address).opened),
      REFUSED,
    ),
  ),
  ...LIVE_TEXT.map((address) =>
    behaviour(
      `S-020 S-024 S-025 S-026 ${address} opens`,
      (h) => echoes(h, (port) => address.replace('P', String(port))),
      { done: false, text: 'x' },
    ),
  ),
  behaviour(
    'S-020 the address is checked before the options are',
    (h) => thrown(() => h.connect('h', { secureTransport: 'never' })),
    PORT,
  ),
  behaviour(
    'S-021 the address is reported as it was written',
    async (h) => {
      const peer = await h.peer()
      const { remoteAddress } = await h.connect(`LocalHost:0${peer.port}`).opened
      return remoteAddress === `LocalHost:0${peer.port}`
    },
    true,
  ),
  behaviour(
    'S-022 an object is read hostname first, then port, then the options',
    (h) => {
      const log: string[] = []
      const note = (name: string, value: unknown): unknown => log.push(name) && value
      h.connect(
        {
          get port() {
            return note('port', 1)
          },
          get hostname() {
            return note('hostname', '127.0.0.1')
          },
        },
        {
          get highWaterMark() {
            return note('highWaterMark', 1)
          },
          get allowHalfOpen() {
            return note('allowHalfOpen', true)
          },
          get secureTransport() {
            return note('secureTransport', 'off')
          },
        },
      )
      return log
    },
    ['hostname', 'port', 'secureTransport', 'allowHalfOpen', 'highWaterMark'],
  ),
  ...[undefined, null, ''].map((hostname) =>
    behaviour(
      `S-022 the hostname ${shown(hostname)} becomes text and fails to open`,
      (h) => outcome(h.connect({ hostname, port: 9 }).opened),
      REFUSED,
    ),
  ),
  behaviour(
    'S-022 the hostname of an object is checked for its characters only',
    (h) => thrown(() => h.connect({ hostname: 'a b', port: 1 })),
    CHARS,
  ),
  behaviour(
    'S-022 a hostname of 254 characters with a port is too long',
    (h) => thrown(() => h.connect({ hostname: 'h'.repeat(254), port: 1 })),
    CHARS,
  ),
  behaviour(
    'S-023 IPv6 without brackets fails to open',
    (h) => outcome(h.connect({ hostname: '::1', port: 9 }).opened),
    REFUSED,
  ),
  behaviour(
    'S-023 IPv6 in brackets opens as an object too',
    (h) => echoes(h, (port) => ({ hostname: '[::ffff:127.0.0.1]', port })),
    { done: false, text: 'x' },
  ),
  ...WRONG_PORTS.map(([port, result]) =>
    behaviour(`S-027 the port ${shown(port)} is refused`, (h) => meaning(h, port), result),
  ),
  ...PORTS.map(([port]) => behaviour(`S-027 the port ${shown(port)} is taken`, (h) => meaning(h, port), TAKEN)),
  ...PORTS.filter(([, value]) => value < 2).map(([port, value]) =>
    behaviour(
      `S-026 S-027 the port ${shown(port)} means ${value}, where nobody answers`,
      (h) => outcome(h.connect({ hostname: '127.0.0.1', port }).opened),
      REFUSED,
    ),
  ),
  behaviour(
    'S-027 a port as text reaches the peer',
    (h) => echoes(h, (port) => ({ hostname: '127.0.0.1', port: String(port) })),
    { done: false, text: 'x' },
  ),
  behaviour(
    'S-028 an error of a getter comes through',
    (h) =>
      thrown(() =>
        h.connect({
          get hostname() {
            throw new RangeError('mine')
          },
        }),
      ),
    'RangeError: mine',
  ),
  behaviour(
    'S-028 host does not stand in for hostname',
    (h) => outcome(h.connect({ host: '127.0.0.1', port: 9 }).opened),
    REFUSED,
  ),
  behaviour(
    'S-028 other keys are ignored',
    (h) => echoes(h, (port) => ({ hostname: '127.0.0.1', port, path: '/x', host: 'other' })),
    { done: false, text: 'x' },
  ),
  behaviour(
    'S-028 a URL is an address, its port being text',
    (h) => echoes(h, (port) => new URL(`http://127.0.0.1:${port}/ignored`)),
    { done: false, text: 'x' },
  ),
  ...[undefined, null].map((address) =>
    behaviour(
      `S-029 ${address} is no address`,
      (h) => String(thrown(() => h.connect(address))).startsWith('TypeError: Cannot initialize '),
      true,
    ),
  ),
  ...[5, true, 5n].map((address) =>
    behaviour(`S-029 ${shown(address)} counts as text`, (h) => thrown(() => h.connect(address)), PORT),
  ),
  behaviour(
    "S-029 a symbol is V8's own error",
    (h) => thrown(() => h.connect(Symbol('x'))),
    'TypeError: Cannot convert a Symbol value to a string',
  ),
  ...[['h:1'], new Date(0), () => 'h:1', new String('h:1')].map((address) =>
    behaviour(
      `S-029 ${Object.prototype.toString.call(address)} counts as an address with fields`,
      (h) => thrown(() => h.connect(address)),
      INTEGER,
    ),
  ),
]
