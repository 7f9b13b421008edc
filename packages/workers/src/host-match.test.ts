import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NoMatch, parseHostMatch } from './host-match.ts'

test('names, addresses and patterns are read into one form', () => {
  const cases = {
    'db.internal': { host: 'db.internal' },
    'DB.Internal.': { host: 'db.internal' },
    'db_1.internal:5432': { host: 'db_1.internal', port: 5432 },
    '*.internal': { host: '*.internal' },
    '*.Svc.internal:443': { host: '*.svc.internal', port: 443 },
    localhost: { host: 'localhost' },
    '10.0.0.5': { host: '10.0.0.5' },
    '10.0.0.5:65535': { host: '10.0.0.5', port: 65_535 },
    '::1': { host: '::1' },
    'FD00:0:0:0:0:0:0:1': { host: 'fd00::1' },
    '[fd00::1]': { host: 'fd00::1' },
    '[fd00::0001]:8443': { host: 'fd00::1', port: 8443 },
  }
  for (const [text, match] of Object.entries(cases)) assert.deepEqual(parseHostMatch(text), match, text)
})

const NAME = 'a host name, an IP address, or "*." and a name'
const PORT = 'followed by a port from 1 to 65535, or by none'

/** What is no pattern → what it should be. */
const BAD: readonly [text: string, message: string][] = [
  ['', NAME],
  ['*', NAME],
  ['*.', NAME],
  ['**.internal', NAME],
  ['a.*.internal', NAME],
  ['*internal', NAME],
  ['*.10.0.0.5', NAME],
  ['db..internal', NAME],
  ['-db.internal', NAME],
  ['db internal', NAME],
  ['bücher.example', NAME],
  ['10.0.0.0/8', NAME],
  ['10.0.0.256', NAME],
  ['10.0.1', NAME],
  [`${'a'.repeat(64)}.internal`, NAME],
  [`${'a.'.repeat(130)}internal`, NAME],
  ['https://db.internal', PORT],
  ['db.internal:', PORT],
  ['db.internal:0', PORT],
  ['db.internal:65536', PORT],
  ['db.internal:https', PORT],
  ['db.internal:*', PORT],
  ['db.internal:1:2', PORT],
  [':443', NAME],
  ['[10.0.0.5]:443', 'an IPv6 address where there are brackets'],
  ['[db.internal]', 'an IPv6 address where there are brackets'],
  ['::ffff:10.0.0.5', 'an IPv4 address in its own form, without "::ffff:"'],
]

for (const [text, message] of BAD) {
  test(`${JSON.stringify(text)} is no pattern`, () => {
    assert.throws(() => parseHostMatch(text), { message })
  })
}

test('whatever the text, it is read or refused, and what was read is read again as itself', () => {
  const text = fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6(), fc.webAuthority())
  fc.assert(
    fc.property(text, (input) => {
      try {
        const match = parseHostMatch(input)
        const host = match.host.includes(':') ? `[${match.host}]` : match.host
        assert.deepEqual(parseHostMatch(match.port === undefined ? host : `${host}:${match.port}`), match)
      } catch (error) {
        assert.ok(error instanceof NoMatch, String(error))
      }
    }),
  )
})
