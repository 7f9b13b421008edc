import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BindingNetwork, BindingResolver, VpcService } from '@hawser/core'
import { FakeCall, FakeDialer, fakeFlow, hasCode } from './fake-flow.ts'
import { policy } from './policy.ts'
import { route } from './route.ts'
import { verificationOf } from './service-target.ts'
import { poolKey, target } from './target.ts'

/** Of a service of one address, resolved by the connector itself. */
const NEITHER = { otherHost: undefined, resolverIps: undefined }
const NETWORK: BindingNetwork = { kind: 'service', serviceId: 's-1' }

function withService(service: VpcService | undefined, call = new FakeCall('evil.example', 1)) {
  const dialer = new FakeDialer()
  const asked: string[] = []
  const resolver: BindingResolver = {
    service: (identity, serviceId) => {
      asked.push(`${identity.binding} ${serviceId}`)
      return service
    },
    way: () => ({ kind: 'local', dialer }),
  }
  return { ...fakeFlow({ network: NETWORK, services: { resolver }, call }), dialer, asked }
}

test('V-025: whatever the call names, the registered host and port are the target', () => {
  const { context, flow, asked } = withService({ host: 'DB.internal', tcpPort: 5432 })
  void target(context)
  assert.deepEqual(flow.target, { ...NEITHER, host: 'db.internal', port: 5432, tls: false, name: 'evil.example' })
  assert.equal(flow.requested, 'evil.example:1')
  assert.deepEqual(asked, ['DB s-1'])
})

test('V-027: the port of the call counts for nothing, not even where it is none', () => {
  const { context, flow } = withService({ host: '10.0.0.5', tcpPort: 5432 }, new FakeCall('x', 0))
  void target(context)
  assert.equal(flow.target?.port, 5432)
})

test('V-005: connect() needs a TCP port', () => {
  const { context } = withService({ host: '10.0.0.5', httpPort: 80, httpsPort: 443 })
  assert.throws(() => target(context), hasCode('destination_not_found'))
  assert.throws(() => target(context), /the service of DB has no TCP port for connect\(\)/)
})

test('a service that nobody knows is not found', () => {
  const { context } = withService(undefined)
  assert.throws(() => target(context), /evil\.example:1: there is no VPC Service s-1/)
  const nobody = fakeFlow({ network: NETWORK })
  assert.throws(() => target(nobody.context), hasCode('destination_not_found'))
})

test('a registered host that is none is refused', () => {
  const { context } = withService({ host: 'a b', tcpPort: 1 })
  assert.throws(() => target(context), hasCode('address_invalid'))
})

test('a service goes the way that the resolver names, under a rule of its own', () => {
  const { context, flow, dialer } = withService({ host: '10.0.0.5', tcpPort: 5432, verify: 'verify_ca' })
  void target(context)
  policy(context)
  assert.deepEqual(flow.verdict, { allowed: true, rule: 'default-allow/service' })
  void route(context)
  assert.deepEqual(flow.route, { via: 'local' })
  assert.equal(context.dialer, dialer)
  assert.equal(verificationOf(context), 'verify_ca')
})

test('a network that nobody knows leads nowhere, a tunnel where it says', () => {
  const unknown = fakeFlow({ network: { kind: 'network', networkId: 'n-1' } })
  void target(unknown.context)
  policy(unknown.context)
  assert.equal(unknown.flow.verdict?.rule, 'default-allow/network')
  assert.throws(() => route(unknown.context), hasCode('destination_not_found'))
  const tunnel = fakeFlow({ services: { resolver: { service: () => undefined, way: () => undefined } } })
  void target(tunnel.context)
  void route(tunnel.context)
  assert.equal(tunnel.flow.route?.tunnelId, 't1')
  assert.equal(verificationOf(tunnel.context), undefined)
})

test('connections are kept by the name under TLS, and by the host in clear text', () => {
  const service = { host: '10.0.0.5', port: 443, name: 'a.example' }
  assert.equal(poolKey({ ...service, tls: true }), 'https://a.example:443')
  assert.equal(poolKey({ ...service, tls: false }), 'http://10.0.0.5:443')
  assert.equal(poolKey({ host: 'h', port: 1, tls: true }), 'https://h:1')
})
