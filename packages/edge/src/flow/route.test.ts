import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import type { BindingNetwork, BindingResolver, BindingWay, FlowRoute, HostPort } from '@hawser/core'
import { memoryPair } from '@hawser/testkit'
import { Upstream } from '../http/upstream.ts'
import { dial } from './dial.ts'
import { FakeDialer, fakeFlow, hasCode } from './fake-flow.ts'
import type { FakeFlow } from './fake-flow.ts'
import { route } from './route.ts'
import { target } from './target.ts'

const NETWORK: BindingNetwork = { kind: 'network', networkId: 'cf1:network' }

interface Routed extends FakeFlow {
  /** What the resolver was asked for. */
  readonly asked: string[]
}

/** A flow whose target is known, of a network of which the resolver says that `way` leads out of it. */
function routed(way: BindingWay | (() => never) | undefined, network: BindingNetwork = NETWORK): Routed {
  const asked: string[] = []
  const resolver: BindingResolver = {
    service: () => ({ host: '10.0.0.5', otherHost: 'fd00::5', tcpPort: 5432, resolverIps: ['10.0.0.53'] }),
    way(_identity, { kind }, { host, port }: HostPort) {
      asked.push(`${kind} ${host} ${port}`)
      return typeof way === 'function' ? way() : way
    },
  }
  const fake = fakeFlow({ network, services: { resolver } })
  void target(fake.context)
  return { ...fake, asked }
}

/** As if an earlier call had left a connection that went this way. */
function keep({ context }: FakeFlow, kept: FlowRoute): Upstream {
  const [near] = memoryPair()
  near.on('error', () => {})
  context.upstream = new Upstream(near, {
    origin: 'http://db.internal:5432',
    route: kept,
    tls: undefined,
    way: new FakeDialer(),
  })
  return context.upstream
}

test('the routes of a network decide which tunnel, and the record says by which of them', async () => {
  const { context, flow, asked } = routed({ kind: 'tunnel', tunnelId: 't2', matched: '*.internal' })
  void route(context)
  assert.deepEqual(asked, ['network db.internal 5432'])
  assert.deepEqual(flow.route, { via: 'tunnel', tunnelId: 't2', matched: '*.internal', connectorId: 'connector-1' })
  await dial(context)
  assert.deepEqual(flow.route, {
    via: 'tunnel',
    tunnelId: 't2',
    matched: '*.internal',
    connectorId: 'connector-1',
    remoteAddress: '10.0.0.9:5432',
  })
})

test('where no route leads, the flow fails with what the resolver says', () => {
  const none = routed(() => {
    throw new HawserError('destination_not_found', 'none of the 2 route(s)')
  })
  assert.throws(() => route(none.context), /none of the 2 route/)
  assert.throws(() => route(routed(undefined).context), hasCode('destination_not_found'))
})

test('a kept connection is used while the routes lead where it leads, and ended when they do not', () => {
  const same = routed({ kind: 'tunnel', tunnelId: 't1', matched: '10.0.0.0/16' })
  const kept = { via: 'tunnel', tunnelId: 't1', matched: '10.0.0.0/8', remoteAddress: '10.0.0.9:5432' } as const
  const upstream = keep(same, kept)
  void route(same.context)
  assert.equal(same.context.upstream, upstream)
  assert.equal(same.flow.route, kept)

  const moved = routed({ kind: 'tunnel', tunnelId: 't2' })
  keep(moved, kept)
  void route(moved.context)
  assert.equal(moved.context.upstream, undefined)
  assert.equal(moved.flow.route?.tunnelId, 't2')
  assert.equal(moved.context.dialer, moved.dialer)

  const gone = routed(() => {
    throw new HawserError('destination_not_found', 'gone')
  })
  keep(gone, kept)
  assert.throws(() => route(gone.context), /gone/)
})

test('a kept connection of a tunnel costs no look-up', () => {
  const { context, flow, asked, ...fake } = routed(undefined, { kind: 'tunnel', tunnelId: 't1' })
  const kept = { via: 'tunnel', tunnelId: 't1' } as const
  keep({ context, flow, ...fake }, kept)
  void route(context)
  assert.equal(flow.route, kept)
  assert.deepEqual(asked, [])
})

test('a dialer is told of the second address and the resolvers of a service', async () => {
  const fake = routed({ kind: 'tunnel', tunnelId: 't1' }, { kind: 'service', serviceId: 's' })
  void route(fake.context)
  await dial(fake.context)
  const [dialled] = fake.dialer.targets
  assert.deepEqual([dialled?.host, dialled?.otherHost, dialled?.resolverIps], ['10.0.0.5', 'fd00::5', ['10.0.0.53']])
})
