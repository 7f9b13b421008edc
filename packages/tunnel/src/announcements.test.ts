import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { configureRequest, parseConfigure, parseReport, reportRequest } from './announcements.ts'
import type { ConnectorReport } from './announcements.ts'
import { encodeMessage, MessageDecoder, parseMessage } from './messages.ts'
import type { Message } from './messages.ts'

/** There and back over the wire, in pieces. */
function carried(message: Message, pieces = 1): Message {
  const bytes = encodeMessage(message)
  const decoder = new MessageDecoder()
  const size = Math.ceil(bytes.length / pieces)
  for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size))
  assert.ok(decoder.message !== undefined)
  return parseMessage(decoder.message)
}

const PLAIN = { noNullPrototype: true } as const
const report: ConnectorReport = {
  connections: { up: 3, of: 4 },
  configuration: 7,
  targets: [
    { host: 'db.internal', port: 5432, healthy: false, code: 'connection_refused' },
    { host: '10.0.0.1', port: 80, healthy: true },
  ],
}

describe('a report', () => {
  test('arrives as it was sent, whatever the pieces', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            connections: fc.record({ up: fc.nat(255), of: fc.integer({ min: 1, max: 255 }) }, PLAIN),
            configuration: fc.nat(),
            targets: fc.array(
              fc.record(
                {
                  host: fc.string({ minLength: 1, maxLength: 40 }),
                  port: fc.integer({ min: 1, max: 65_535 }),
                  healthy: fc.boolean(),
                },
                PLAIN,
              ),
              { maxLength: 32 },
            ),
          },
          PLAIN,
        ),
        fc.integer({ min: 1, max: 40 }),
        (sent, pieces) => assert.deepEqual(parseReport(carried(reportRequest(sent), pieces)), sent),
      ),
    )
    assert.deepEqual(parseReport(carried(reportRequest(report))), report)
  })

  test('with a code of a newer version says that the target failed', () => {
    const [target] = parseReport({ ...report, targets: [{ ...report.targets[0], code: 'quantum_error' }] }).targets
    assert.deepEqual(target, { host: 'db.internal', port: 5432, healthy: false })
  })

  for (const [field, wrong] of [
    ['connections', { connections: undefined }],
    ['connections.up', { connections: { up: -1, of: 4 } }],
    ['connections.of', { connections: { up: 0, of: 0 } }],
    ['configuration', { configuration: '7' }],
    ['targets', { targets: {} }],
    ['targets', { targets: Array.from({ length: 65 }, () => report.targets[1]) }],
    ['targets[0]', { targets: [null] }],
    ['targets[0].host', { targets: [{ ...report.targets[0], host: 'x'.repeat(254) }] }],
    ['targets[0].port', { targets: [{ ...report.targets[0], port: 65_536 }] }],
    ['targets[0].healthy', { targets: [{ ...report.targets[0], healthy: 1 }] }],
  ] as const) {
    test(`is refused, naming ${field}, with ${JSON.stringify(wrong).slice(0, 50)}`, () => {
      assert.throws(
        () => parseReport({ ...report, ...wrong }),
        (error) => HawserError.is(error, 'tunnel_protocol_error') && error.message.startsWith(`${field}: `),
      )
    })
  }
})

describe('a configuration', () => {
  const settings = { allow: [], deny: ['10.0.0.0/8'], probes: [] }

  test('arrives as it was sent', () => {
    assert.deepEqual(parseConfigure(carried(configureRequest({ version: 3, settings }))), { version: 3, settings })
  })

  test('is refused without a version, and with settings that this version does not know', () => {
    assert.throws(() => parseConfigure({ settings }), { code: 'tunnel_protocol_error' })
    assert.throws(() => parseConfigure({ version: 0, settings }), { code: 'tunnel_protocol_error' })
    assert.throws(() => parseConfigure({ version: 1, settings: { ...settings, speed: 9 } }), {
      code: 'options_invalid',
    })
  })

  test('and a report are parsed or refused, whatever JSON they hold', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('version', 'settings', 'connections', 'configuration', 'targets'),
          fc.jsonValue(),
        ),
        (message) => {
          for (const parse of [parseConfigure, parseReport]) {
            try {
              parse(message)
            } catch (error) {
              assert.ok(HawserError.is(error))
            }
          }
        },
      ),
    )
  })
})
