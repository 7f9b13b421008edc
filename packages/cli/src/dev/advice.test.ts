import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import type { BindingNetwork, FlowRecord } from '@hawser/core'
import type { WorkerConfig } from '@hawser/workers'
import { adviceOnCrons, adviceOnFailure, adviceOnFlow, adviceOnQueue } from './advice.ts'

const TUNNEL = { kind: 'tunnel', tunnelId: 't' } as const

/** As much of a configuration as advice looks at. */
function config(parts: { networks?: string[]; services?: string[]; egress?: string } = {}): WorkerConfig {
  const networks = (parts.networks ?? []).map((binding) => ({ binding, network: TUNNEL }))
  const services = (parts.services ?? []).map((binding) => ({ binding, serviceId: 's' }))
  const egress = networks.find(({ binding }) => binding === parts.egress)
  return { networks, services, egress } as unknown as WorkerConfig
}

function flow(parts: Partial<FlowRecord> & { network?: BindingNetwork } = {}): FlowRecord {
  return {
    id: 'f',
    startedAt: 0,
    worker: 'w',
    binding: 'egress',
    network: { kind: 'public' },
    kind: 'connect',
    requested: '10.0.1.50:5432',
    target: { host: '10.0.1.50', port: 5432, tls: false },
    bytesSent: 0,
    bytesReceived: 0,
    timings: {},
    ...parts,
  }
}

function refused(rule: string, parts: Partial<FlowRecord> = {}): FlowRecord {
  return flow({ verdict: { allowed: false, rule }, ...parts })
}

test('a refused address: what production says, why, and the key of hawser.jsonc that leads there', () => {
  const advice = adviceOnFlow(refused('blocked-destinations/private'), config({ networks: ['OFFICE'] }))
  const { message = '' } = advice ?? {}
  assert.match(
    message,
    /As in production, connect\(\) to 10\.0\.1\.50:5432 throws "proxy request failed, cannot connect/,
  )
  assert.match(message, /public addresses only, and this one is private \(blocked-destinations\/private\)/)
  assert.match(message, /write \{ "egress": "OFFICE" \} in hawser\.jsonc/)
  assert.match(message, /"hosts": \{ "10\.0\.1\.50:5432": "127\.0\.0\.1:5432" \}/)
  assert.match(message, /--relaxed=blocked-addresses/)
})

test('without a network it says how to bind one', () => {
  const { message = '' } = adviceOnFlow(refused('blocked-names/localhost'), config()) ?? {}
  assert.match(message, /"vpc_networks": \[\{ "binding": "PRIVATE", "tunnel_id": "…" \}\]/)
  const fetched = adviceOnFlow(refused('blocked-names/localhost', { kind: 'fetch' }), config())
  assert.match(fetched?.message ?? '', /answers 403 with "error code: 1003"/)
  assert.match(fetched?.message ?? '', /call env\.PRIVATE\.fetch\(\)/)
})

test('port 25 and loops are worded as documented', () => {
  const smtp = adviceOnFlow(refused('blocked-port/25'), undefined)?.message ?? ''
  assert.match(smtp, /throws "Connections to port 25 are prohibited"/)
  assert.doesNotMatch(smtp, /vpc_networks/)
  assert.match(adviceOnFlow(refused('own-listener'), undefined)?.message ?? '', /throws "TCP Loop detected"/)
})

test('what is allowed only here says so', () => {
  const lifted = flow({ verdict: { allowed: true, rule: 'relaxed/blocked-destinations/private' } })
  const { message = '' } = adviceOnFlow(lifted, config()) ?? {}
  assert.match(message, /^In production connect\(\) to .* throws .*\(allowed here by --relaxed=blocked-addresses\)/)
})

test('a private target that nobody answers at: where it was looked for, and what to write', () => {
  const error = {
    code: 'connection_refused',
    message: 'localhost:5432, which stands in for db:5432',
    step: 'dial',
  } as const
  const parts = { network: TUNNEL, target: { host: 'db', port: 5432, tls: false }, error }
  const direct = adviceOnFlow(flow({ ...parts, binding: 'OFFICE' }), config({ networks: ['OFFICE'] }))
  assert.match(direct?.message ?? '', /^localhost:5432, which stands in for db:5432\nStart it, or say where it is/)
  assert.match(direct?.message ?? '', /"networks": \{ "OFFICE": \{ "hosts": \{ "db:5432": "127\.0\.0\.1:5432" \} \} \}/)
  const egress = adviceOnFlow(flow(parts), config({ networks: ['A', 'LAB'], egress: 'LAB' }))
  assert.match(egress?.message ?? '', /"networks": \{ "LAB"/)
  const service = adviceOnFlow(flow({ ...parts, binding: 'SVC' }), config({ services: ['SVC'] }))
  assert.match(service?.message ?? '', /"services": \{ "SVC"/)
})

test('a host of the real network: that it is one, and how to have a stand-in', () => {
  const error = {
    code: 'destination_unavailable',
    message: 'no edge of the token can be reached',
    step: 'dial',
  } as const
  const target = { host: 'db', port: 5432, tls: false }
  const call = flow({ network: TUNNEL, target, error, binding: 'OFFICE', route: { via: 'edge' } })
  const { message = '' } = adviceOnFlow(call, config({ networks: ['OFFICE'] })) ?? {}
  assert.match(
    message,
    /^no edge of the token can be reached\nOFFICE is the real network, through the edge of its token/,
  )
  assert.match(message, /"networks": \{ "OFFICE": \{ "hosts": \{ "db:5432": "127\.0\.0\.1:5432" \} \} \}/)
})

test('a public host that does not answer: what to write to have something in its place', () => {
  const target = { host: 'db.example.com', port: 5432, tls: false }
  const error = { code: 'dns_error', message: 'db.example.com: getaddrinfo ENOTFOUND', step: 'target' } as const
  const { message = '', rule } = adviceOnFlow(flow({ target, error }), config()) ?? {}
  assert.equal(rule, 'dns_error')
  assert.match(message, /^db\.example\.com: getaddrinfo ENOTFOUND\nTo have something on this machine in its place: /)
  assert.match(
    message,
    /\{ "egress": \{ "hosts": \{ "db\.example\.com:5432": "127\.0\.0\.1:5432" \} \} \} in hawser\.jsonc/,
  )
  const beside = adviceOnFlow(
    flow({ target, error, kind: 'fetch' }),
    config({ networks: ['OFFICE'], egress: 'OFFICE' }),
  )
  assert.match(beside?.message ?? '', /\{ "egress": \{ "binding": "OFFICE", "hosts": /)
  const refused = { ...error, code: 'connection_refused', step: 'dial' } as const
  const standIn = flow({ target, error: refused, verdict: { allowed: true, rule: 'stand-in' } })
  assert.match(adviceOnFlow(standIn, config())?.message ?? '', /\nStart it, or correct the entry under "egress"/)
})

test('a certificate: judged by the name the Worker used', () => {
  const error = { code: 'tls_certificate_error', message: 'no', step: 'secure' } as const
  const target = { host: '127.0.0.1', port: 8443, tls: true, name: 'api.internal' }
  const { message = '' } = adviceOnFlow(flow({ network: TUNNEL, target, error }), config()) ?? {}
  assert.match(message, /\{ "tls": \[\{ "match": "api\.internal:8443", "ca": "ca\.pem" \}\] \}/)
})

test('nothing is said where there is nothing to say', () => {
  assert.equal(adviceOnFlow(flow({ verdict: { allowed: true, rule: 'public' } }), config()), undefined)
  assert.equal(adviceOnFlow(flow({ network: TUNNEL }), config()), undefined)
  const aborted = { code: 'connection_aborted', message: '', step: 'relay' } as const
  assert.equal(adviceOnFlow(flow({ network: TUNNEL, error: aborted }), config()), undefined)
  assert.equal(adviceOnFailure(new HawserError('runtime_failed', 'SyntaxError')), undefined)
})

test('crons: how to run the first of them by hand', () => {
  assert.equal(adviceOnCrons('http://127.0.0.1:1', []), undefined)
  const { message = '' } = adviceOnCrons('http://127.0.0.1:1', ['*/5 * * * *', '0 0 * * *']) ?? {}
  assert.match(message, /curl 'http:\/\/127\.0\.0\.1:1\/cdn-cgi\/handler\/scheduled\?cron=\*%2F5\+\*\+\*\+\*\+\*'$/)
})

test('a seventh connection, and one opened while the module loads', () => {
  assert.match(adviceOnQueue(flow(), 6).message, /at most 6 connections open in one invocation/)
  const error = new HawserError('runtime_failed', 'Error: Disallowed operation called within global scope. …')
  assert.match(adviceOnFailure(error) ?? '', /open connections in a handler/)
})
