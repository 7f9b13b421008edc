import { equal, ok, rejects, throws } from '../support/assert.ts'
import { each } from '../support/behaviour.ts'
import type { Behaviour } from '../support/behaviour.ts'
import type { Socket } from '../support/socket.ts'
import { ADDRESS_CHARACTERS, ADDRESS_NO_HOST, ADDRESS_NO_PORT, ADDRESS_UNPARSABLE, REFUSED } from '../support/texts.ts'
import type { Trial } from '../support/trial.ts'

/** No address of its own, and no question to a resolver: an empty label is refused before either. */
const NO_SUCH_NAME = 'host..x'

function refusesAll(title: string, message: string, addresses: readonly string[]): Omit<Behaviour, 'id'> {
  return {
    title,
    peer: 'live',
    async run({ connect }) {
      for (const address of addresses) {
        throws(() => connect(address), { name: 'TypeError', message }, JSON.stringify(address))
      }
    },
  }
}

/** The address is taken, and what is wrong with it shows only later. */
async function failsLater(t: Trial, address: unknown, what: string): Promise<void> {
  const socket = t.connect(address)
  t.step = `opened of ${what}`
  await rejects(socket.opened, { name: 'Error', message: REFUSED }, what)
}

async function opens(t: Trial, address: unknown): Promise<Socket> {
  const socket = await t.open(undefined, address)
  await t.peer.accepted()
  return socket
}

/** One spelling of the peer's address that must lead to it, reported as it was spelled. */
function spelling(title: string, host: string): Omit<Behaviour, 'id'> {
  return {
    title,
    peer: 'live',
    async run(t) {
      const address = `${host}:${t.peer.port}`
      const socket = await opens(t, address)
      equal((await socket.opened).remoteAddress, address)
    },
  }
}

const strings: readonly Behaviour[] = [
  {
    id: 'S-020a',
    ...refusesAll('a string without a host name is refused', ADDRESS_NO_HOST, ['', ' ', '//h:1']),
  },
  {
    id: 'S-020b',
    ...refusesAll('a string without a port is refused, a URL with a scheme too', ADDRESS_NO_PORT, [
      '127.0.0.1',
      'h',
      'h:',
      '[::1]',
      'http://h:1',
      'tcp://h:1',
      'h/:1',
      'unix:/tmp/x',
    ]),
  },
  {
    id: 'S-020c',
    ...refusesAll('a string that is no URL authority is refused', ADDRESS_UNPARSABLE, [
      ':1234',
      '@:1',
      'h :1',
      'h: 1',
      ' h:1',
      'a b',
      'h\\x:1',
      '<a>:1',
      '[zz]:1',
      '[127.0.0.1]:1',
      'h:1:2',
      'h:+80',
      'h:22x',
      'h\0:1',
    ]),
  },
  {
    id: 'S-020d',
    ...refusesAll('what a URL may have beyond host and port is refused', ADDRESS_CHARACTERS, [
      'h:1/',
      'h:1/p',
      'h:1?q',
      'h:1#f',
      'u:p@h:1',
    ]),
  },
  {
    id: 'S-020e',
    ...refusesAll('characters that a URL would drop or encode are refused', ADDRESS_CHARACTERS, [
      'h:1 ',
      'h\t:1',
      'h:1\n',
      'h:1\0',
      '*:1',
      'h%41:1',
      "a'b:1",
      'a;b:1',
      'h,1:1',
      'bücher.example:1',
      '日本:1',
      '🚢:1',
    ]),
  },
  {
    id: 'S-020f',
    title: 'a string of 256 characters is refused, one of 255 is dialled',
    peer: 'live',
    async run(t) {
      const ofLength = (length: number): string => `${'a'.repeat(length - 3)}.:1`
      throws(() => t.connect(ofLength(256)), { name: 'TypeError', message: ADDRESS_CHARACTERS })
      await failsLater(t, ofLength(255), '255 characters')
    },
  },
  {
    id: 'S-020g',
    title: 'the address is checked before the values of the options',
    peer: 'live',
    async run({ connect }) {
      throws(() => connect('h', { secureTransport: 'bogus' }), { name: 'TypeError', message: ADDRESS_NO_PORT })
    },
  },
  ...each(
    'S-020',
    ['-host..x', '_host..x', 'xn--bcher-kva..x', '1.2.3..x'],
    (host) => ({
      title: `the unusual name ${host} is passed on and fails when it is dialled`,
      peer: 'live',
      run: (t) => failsLater(t, `${host}:1`, host),
    }),
    'h',
  ),
  { id: 'S-021a', ...spelling('the address is reported as it was written: upper case', 'LOCALHOST') },
  { id: 'S-021b', ...spelling('the address is reported as it was written: lower case name', 'localhost') },
  { id: 'S-023a', ...spelling('an IPv6 address in brackets connects', '[::1]') },
  { id: 'S-023b', ...spelling('an IPv6 address written out connects', '[0:0:0:0:0:0:0:1]') },
  {
    id: 'S-023c',
    ...refusesAll('an IPv6 address without brackets is refused', ADDRESS_UNPARSABLE, ['::1:80', 'fe80::1:80']),
  },
  {
    id: 'S-024a',
    ...refusesAll('a zone id is refused', ADDRESS_UNPARSABLE, ['[::1%lo]:1', '[::1%25lo]:1']),
  },
  { id: 'S-024b', ...spelling('an IPv4-mapped IPv6 address in dotted form connects', '[::ffff:127.0.0.1]') },
  { id: 'S-024c', ...spelling('an IPv4-mapped IPv6 address in hexadecimal form connects', '[::ffff:7f00:1]') },
  { id: 'S-025a', ...spelling('the short spelling 127.1 is dialled as 127.0.0.1', '127.1') },
  { id: 'S-025b', ...spelling('the hexadecimal spelling 0x7f.1 is dialled as 127.0.0.1', '0x7f.1') },
  { id: 'S-025c', ...spelling('the spelling 2130706433 is dialled as 127.0.0.1', '2130706433') },
  {
    id: 'S-026a',
    title: 'port 0 is accepted and fails when it is dialled',
    peer: 'live',
    run: (t) => failsLater(t, '127.0.0.1:0', 'port 0'),
  },
  {
    id: 'S-026b',
    ...refusesAll('a port that is too great, signed, fractional or no number is refused', ADDRESS_UNPARSABLE, [
      'h:65536',
      'h:99999',
      'h:-1',
      'h:1.5',
      'h:+1',
      'h:x',
      'h:0x50',
      'h:1e3',
    ]),
  },
  {
    id: 'S-026c',
    title: 'a port with leading zeros is decimal, and is reported with them',
    peer: 'live',
    async run(t) {
      const address = `127.0.0.1:0${t.peer.port}`
      const socket = await opens(t, address)
      equal((await socket.opened).remoteAddress, address)
    },
  },
  {
    id: 'S-029b',
    title: 'a number or boolean for an address is read as its text, which has no port',
    peer: 'live',
    async run({ connect }) {
      for (const value of [5, true]) {
        throws(() => connect(value), { name: 'TypeError', message: ADDRESS_NO_PORT }, String(value))
      }
    },
  },
  {
    id: 'S-029c',
    title: 'a symbol for an address throws TypeError',
    peer: 'live',
    async run({ connect }) {
      throws(() => connect(Symbol('x')), {
        name: 'TypeError',
        message: 'Cannot convert a Symbol value to a string',
      })
    },
  },
  {
    id: 'S-196',
    title: 'a name that does not resolve fails as a refused connection does',
    peer: 'live',
    async run(t) {
      const socket = t.connect(`${NO_SUCH_NAME}:1`)
      await rejects(socket.opened, { name: 'Error', message: REFUSED })
      await rejects(socket.closed, { name: 'Error', message: REFUSED })
      ok((await t.peer.connections()) === 0, 'nothing was dialled')
    },
  },
]

export const address: readonly Behaviour[] = strings
