/** The first argument of `connect()`; the same module runs inside workerd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress } from './runtime/address.ts'

const NOT_PARSED = 'Specified address could not be parsed.'
const NO_HOST = 'Specified address is missing hostname.'
const NO_PORT = 'Specified address is missing port.'
const CHARACTERS = 'Specified address is empty string, contains unsupported characters or is too long.'
const NOT_INTEGER = 'The value cannot be converted because it is not an integer.'
const NEGATIVE = 'The value cannot be converted because it is negative and this API expects a positive number.'
const TOO_BIG = 'Value out of range. Must be less than or equal to 65535.'

/** 255 characters in all. */
const LONGEST = `${'a'.repeat(251)}:123`

test('text that is host:port is kept as it was written', () => {
  const accepted: readonly [text: string, host: string, port: number][] = [
    ['127.0.0.1:6379', '127.0.0.1', 6379],
    ['localhost:1', 'localhost', 1],
    ['LOCALHOST:1', 'LOCALHOST', 1],
    ['[::1]:5432', '[::1]', 5432],
    ['[0:0:0:0:0:0:0:1]:80', '[0:0:0:0:0:0:0:1]', 80],
    ['[::ffff:127.0.0.1]:9', '[::ffff:127.0.0.1]', 9],
    ['127.1:80', '127.1', 80],
    ['0x7f.1:80', '0x7f.1', 80],
    ['2130706433:80', '2130706433', 80],
    ['host:0', 'host', 0],
    ['host:00080', 'host', 80],
    ['host:65535', 'host', 65_535],
    ['host_under:1', 'host_under', 1],
    ['-host:1', '-host', 1],
    ['host..x:1', 'host..x', 1],
    ['.:1', '.', 1],
    ['127.0.0.256:1', '127.0.0.256', 1],
    [LONGEST, 'a'.repeat(251), 123],
  ]
  for (const [text, host, port] of accepted) assert.deepEqual(parseAddress(text), { text, host, port }, text)
})

test('text that is not is refused with the native words', () => {
  const refused: Readonly<Record<string, readonly string[]>> = {
    [NO_HOST]: ['', ' ', '//h:1'],
    [NO_PORT]: ['127.0.0.1', 'h', 'h:', '[::1]', 'http://h:1', 'tcp://h:1', 'h/:1', 'unix:/tmp/x'],
    [NOT_PARSED]: [
      ':1234',
      '@:1',
      'h :1',
      'h: 1',
      'a b',
      String.raw`h\x:1`,
      '<a>:1',
      '[zz]:1',
      '[127.0.0.1]:1',
      'h:1:2',
      'h:+80',
      'h:22x',
      '::1:80',
      '[::1%lo]:1',
      '[::1%25lo]:1',
      'h:65536',
      'h:-1',
      'h:1.5',
    ],
    [CHARACTERS]: [
      'h:1 ',
      'h:1/',
      'h:1/p',
      'h:1?q',
      'h:1#f',
      'u:p@h:1',
      '*:1',
      'h%41:1',
      "a'b:1",
      'a;b:1',
      'h,1:1',
      'bücher.example:1',
      '日本:1',
      '😀:1',
      `a${LONGEST}`,
    ],
  }
  for (const [message, texts] of Object.entries(refused)) {
    for (const text of texts)
      assert.throws(() => parseAddress(text), { name: 'TypeError', message }, JSON.stringify(text))
  }
})

test('an object gives hostname and port, converted as the runtime converts them', () => {
  const accepted: readonly [address: object, text: string][] = [
    [{ hostname: 'h', port: 5432 }, 'h:5432'],
    [{ hostname: 'h', port: '5432' }, 'h:5432'],
    [{ hostname: 'h', port: 5432.7 }, 'h:5432'],
    [{ hostname: 'h', port: null }, 'h:0'],
    [{ hostname: 'h', port: '' }, 'h:0'],
    [{ hostname: 'h', port: false }, 'h:0'],
    [{ hostname: 'h', port: true }, 'h:1'],
    [{ hostname: '[::1]', port: 1 }, '[::1]:1'],
    [{ hostname: '::1', port: 1 }, '::1:1'],
    [{ port: 1 }, 'undefined:1'],
    [{ hostname: null, port: 1 }, 'null:1'],
    [{ hostname: '', port: 1 }, ':1'],
    [{ hostname: 'h', port: 1, extra: true }, 'h:1'],
    [new URL('fake://h:1'), 'h:1'],
  ]
  for (const [address, text] of accepted) assert.equal(parseAddress(address).text, text)
})

test('an object is refused where the runtime refuses it', () => {
  const refused: readonly [address: unknown, message: string][] = [
    [{ hostname: 'h' }, NOT_INTEGER],
    [{ host: 'h', port: 'x' }, NOT_INTEGER],
    [{ hostname: 'h', port: Number.NaN }, NOT_INTEGER],
    [{ hostname: 'h', port: Number.POSITIVE_INFINITY }, NOT_INTEGER],
    [{ hostname: 'h', port: -1 }, NEGATIVE],
    [{ hostname: 'h', port: 65_536 }, TOO_BIG],
    [{ hostname: 'h h', port: 1 }, CHARACTERS],
    [{ hostname: 'a'.repeat(255), port: 1 }, CHARACTERS],
    [[], NOT_INTEGER],
    [new Date(0), NOT_INTEGER],
    [() => {}, NOT_INTEGER],
    [{ hostname: 'h', port: 1n }, 'Cannot convert a BigInt value to a number'],
    [5, NO_PORT],
    [true, NO_PORT],
    [Symbol('s'), 'Cannot convert a Symbol value to a string'],
  ]
  for (const [address, message] of refused) assert.throws(() => parseAddress(address), { name: 'TypeError', message })
  for (const nothing of [undefined, null]) assert.throws(() => parseAddress(nothing), TypeError)
})

test('an error thrown by a getter of the object is the caller’s own', () => {
  const own = new RangeError('mine')
  const address = {
    get hostname(): string {
      throw own
    },
    port: 1,
  }
  assert.throws(() => parseAddress(address), own)
})

test('property: text is either kept whole or refused with a TypeError', () => {
  const known = new Set([NOT_PARSED, NO_HOST, NO_PORT, CHARACTERS])
  const anything = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(...'abc019._-:[]%/@ '.split('')), maxLength: 40 }),
    fc.tuple(fc.domain(), fc.nat(70_000)).map(([host, port]) => `${host}:${port}`),
  )
  fc.assert(
    fc.property(anything, (text) => {
      try {
        const { host, port, text: kept } = parseAddress(text)
        assert.equal(kept, text)
        assert.ok(text.startsWith(`${host}:`))
        assert.equal(Number(text.slice(host.length + 1)), port)
        assert.ok(port >= 0 && port <= 65_535)
      } catch (error) {
        assert.ok(error instanceof TypeError && known.has(error.message), String(error))
      }
    }),
  )
})
