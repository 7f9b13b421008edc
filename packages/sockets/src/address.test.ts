import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress, readAddress } from './address.ts'
import { TEXT } from './messages.ts'

/** What S-020 says, spelled out with nothing but a URL parser: the oracle. */
function oracle(text: string): number | string {
  const url = URL.parse(`fake://${text}`)
  if (url === null) return TEXT.addressUnparsable
  if (url.hostname === '') return TEXT.addressWithoutHost
  if (url.port === '') return TEXT.addressWithoutPort
  return /^[A-Za-z0-9._:[\]-]{1,255}$/.test(text) ? Number(url.port) : TEXT.addressCharacters
}

function judged(text: string): number | string {
  try {
    return parseAddress(text).port
  } catch (error) {
    return (error as Error).message
  }
}

test('any text is judged as a URL parser would', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => assert.equal(judged(text), oracle(text))),
  )
})

test('so is text that looks like an address', () => {
  const piece = fc.constantFrom(
    ...Array.from('ab0179.-_:[]%@/ xX*'),
    '::',
    ':65535',
    ':65536',
    ':0080',
    '127.0.0.1',
    '[::1]',
    ':99999',
  )
  const address = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(address, (text) => assert.equal(judged(text), oracle(text))),
    { numRuns: 2000 },
  )
})

test('an object gives the same target as its text', () => {
  const hosts = fc.constantFrom('db.example', '127.0.0.1', '[::1]', '127.1', '-x', '0x7f000001')
  fc.assert(
    fc.property(hosts, fc.integer({ min: 0, max: 65_535 }), (hostname, port) => {
      assert.deepEqual(parseAddress(readAddress({ hostname, port })), parseAddress(`${hostname}:${port}`))
    }),
  )
})

for (const [text, host] of [
  ['127.0.0.1:1', '127.0.0.1'],
  ['127.1:1', '127.0.0.1'],
  ['0x7f.1:1', '127.0.0.1'],
  ['0177.0.0.1:1', '127.0.0.1'],
  ['2130706433:1', '127.0.0.1'],
  ['[::1]:1', '::1'],
  ['[::ffff:7f00:1]:1', '::ffff:7f00:1'],
  ['Db.Example:1', 'Db.Example'],
  ['127.0.0.256:1', '127.0.0.256'],
  ['1.2.3.4.5:1', '1.2.3.4.5'],
  ['a1:1', 'a1'],
] as const) {
  test(`${text} dials ${host}`, () => assert.equal(parseAddress(text).host, host))
}

for (const hostname of ['', '::1', 'a:b', '[zz]', '[127.0.0.1]', '[::1', '::1]', ']:[']) {
  test(`the hostname ${JSON.stringify(hostname)} of an object can never answer`, () => {
    assert.equal(parseAddress({ hostname, port: 1 }).host, undefined)
  })
}
