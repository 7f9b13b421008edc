import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { FakeCall, fakeFlow, hasCode, PUBLIC } from './fake-flow.ts'
import { originKey, target } from './target.ts'

const neverAsked = (): never => {
  throw new Error('the resolver was asked')
}

test('target: on a tunnel the name goes on as a name, in lower case and without its dot', async () => {
  const { context, flow } = fakeFlow({ call: new FakeCall('DB.Internal.', 5432), services: { resolve: neverAsked } })
  await target(context)
  assert.deepEqual(flow.target, { host: 'db.internal', port: 5432, tls: false })
})

test('target: on a tunnel every spelling of a literal goes on in the canonical one', async (t) => {
  for (const [written, host] of Object.entries({
    '0x7f.1': '127.0.0.1',
    '2130706433': '127.0.0.1',
    '010.0.0.1': '8.0.0.1',
    '[::FFFF:10.0.0.1]': '10.0.0.1',
    '[FD00::0:1]': 'fd00::1',
  })) {
    await t.test(written, async () => {
      const { context, flow } = fakeFlow({ call: new FakeCall(written, 80) })
      await target(context)
      assert.equal(flow.target?.host, host)
    })
  }
})

test('target: a public name is resolved here, once', async () => {
  const asked: string[] = []
  const resolve = (name: string): Promise<readonly string[]> => {
    asked.push(name)
    return Promise.resolve(['93.184.216.34', '2606:2800:220:1::1'])
  }
  const { context, flow } = fakeFlow({ network: PUBLIC, call: new FakeCall('Example.COM', 80), services: { resolve } })
  await target(context)
  assert.deepEqual(asked, ['example.com'])
  assert.deepEqual(flow.target?.addresses, ['93.184.216.34', '2606:2800:220:1::1'])
})

test('target: a public literal is not resolved', async () => {
  const { context, flow } = fakeFlow({
    network: PUBLIC,
    call: new FakeCall('0x5db8d822', 80),
    services: { resolve: neverAsked },
  })
  await target(context)
  assert.deepEqual(flow.target?.addresses, ['93.184.216.34'])
})

test('target: names under .hawser lead nowhere, on every network', async () => {
  for (const network of [PUBLIC, undefined]) {
    for (const host of ['edge.hawser', 'FLOWS.hawser.', 'hawser', 'a.b.hawser']) {
      const { context } = fakeFlow({
        ...(network && { network }),
        call: new FakeCall(host, 80),
        services: { resolve: neverAsked },
      })
      assert.throws(() => target(context), hasCode('destination_not_found'), host)
    }
  }
})

test('target: port 25 and localhost are refused for the public before a resolver is asked, and the verdict says why', () => {
  const cases: readonly [string, number, string, string][] = [
    ['mail.example.com', 25, 'destination_port_prohibited', 'blocked-port/25'],
    ['localhost', 80, 'destination_ip_prohibited', 'blocked-names/localhost'],
    ['a.localhost', 80, 'destination_ip_prohibited', 'blocked-names/localhost'],
  ]
  for (const [host, port, code, rule] of cases) {
    const { context, flow } = fakeFlow({
      network: PUBLIC,
      call: new FakeCall(host, port),
      services: { resolve: neverAsked },
    })
    assert.throws(() => target(context), hasCode(code), host)
    assert.deepEqual(flow.verdict, { allowed: false, rule })
  }
})

test('target: what cannot be read as an address is address_invalid', () => {
  for (const [host, port] of [
    ['a b', 80],
    ['1.2.3.4.5', 80],
    ['[::1', 80],
    ['', 80],
    ['db.internal', 0],
  ] as const) {
    const { context } = fakeFlow({ call: new FakeCall(host, port) })
    assert.throws(() => target(context), hasCode('address_invalid'), host)
  }
})

test('target: a name without addresses, or that does not resolve, is dns_error', async () => {
  const none = fakeFlow({ network: PUBLIC, services: { resolve: () => Promise.resolve([]) } })
  await assert.rejects(async () => target(none.context), hasCode('dns_error'))
  const failing = fakeFlow({
    network: PUBLIC,
    services: { resolve: () => Promise.reject(new HawserError('dns_timeout', 'slow')) },
  })
  await assert.rejects(async () => target(failing.context), hasCode('dns_timeout'))
})

test('target: an answer that comes after the Worker has gone is not acted on', async () => {
  const answer = Promise.withResolvers<readonly string[]>()
  const { context, call } = fakeFlow({ network: PUBLIC, services: { resolve: () => answer.promise } })
  const waiting = target(context)
  call.onGone?.(new HawserError('connection_aborted', 'gone'))
  answer.resolve(['93.184.216.34'])
  await assert.rejects(async () => waiting, hasCode('connection_aborted'))
})

test('origin key: tells schemes, hosts and ports apart', () => {
  assert.equal(
    new Set([originKey(true, 'a', 1), originKey(false, 'a', 1), originKey(true, 'b', 1), originKey(true, 'a', 2)]).size,
    4,
  )
})

test('target: a connection that is to speak TLS from the start says so, others do not', async () => {
  for (const [operation, tls] of [
    ['c', false],
    ['u', false],
    ['s', true],
  ] as const) {
    const { context, call, flow } = fakeFlow()
    call.operation = operation
    await target(context)
    assert.equal(flow.target?.tls, tls)
  }
})

test('target: an upgrade without a connection leads nowhere', () => {
  const { context, call } = fakeFlow()
  call.operation = 't'
  assert.throws(() => target(context), hasCode('tls_protocol_error'))
})
