import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import type { BindingNetwork, ErrorCode, FlowRecord } from '@hawser/core'
import { errorAnswer } from './error-answer.ts'

function flowOn(network: BindingNetwork): FlowRecord {
  return {
    id: 'flow1',
    startedAt: 0,
    worker: 'w',
    binding: 'b',
    network,
    kind: 'fetch',
    requested: 'http://a',
    bytesSent: 0,
    bytesReceived: 0,
    timings: {},
  }
}
const PUBLIC = flowOn({ kind: 'public' })
const TUNNEL = flowOn({ kind: 'tunnel', tunnelId: 't' })

/** Body length as the head says it, and as it is. */
function lengths(answer: string): [number, number] {
  const end = answer.indexOf('\r\n\r\n')
  return [Number(/Content-Length: (\d+)/.exec(answer)?.[1]), answer.length - end - 4]
}

test('error answer: a private binding gets 502, the code as a field, and JSON', () => {
  const answer = errorAnswer(new HawserError('dns_error', 'no such "name"'), TUNNEL, 'GET')
  assert.match(answer, /^HTTP\/1.1 502 Bad Gateway\r\nhawser-error: dns_error\r\nContent-Type: application\/json\r\n/)
  assert.deepEqual(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))), {
    code: 'dns_error',
    message: 'no such "name"',
    flow: 'flow1',
  })
})

test('error answer: public egress answers as the vendor does', async (t) => {
  const cases: readonly [ErrorCode, number, number][] = [
    ['destination_ip_prohibited', 403, 1003],
    ['destination_port_prohibited', 403, 1003],
    ['proxy_loop_detected', 403, 1003],
    ['dns_error', 530, 1016],
    ['dns_timeout', 530, 1016],
    ['connection_refused', 521, 521],
    ['connection_timeout', 522, 522],
    ['tls_protocol_error', 525, 525],
    ['tls_certificate_error', 526, 526],
    ['connection_terminated', 502, 502],
    ['http_protocol_error', 502, 502],
    ['proxy_internal_error', 502, 502],
  ]
  for (const [code, status, number] of cases) {
    await t.test(code, () => {
      const answer = errorAnswer(new HawserError(code, 'why'), PUBLIC, 'GET')
      assert.ok(answer.startsWith(`HTTP/1.1 ${status} `))
      assert.ok(answer.endsWith(`\r\n\r\nerror code: ${number}\nProxyError: ${code}: why\nflow flow1\n`))
      assert.doesNotMatch(answer, /hawser-error/)
    })
  }
})

test('error answer: its length is right beyond ASCII too, and HEAD gets none of the body', () => {
  for (const flow of [PUBLIC, TUNNEL]) {
    const error = new HawserError('dns_error', 'h\u00e9 \u{1f4a5} host')
    const [said, is] = lengths(errorAnswer(error, flow, 'GET'))
    assert.equal(said, is)
    const [saidToHead, isForHead] = lengths(errorAnswer(error, flow, 'HEAD'))
    assert.deepEqual([saidToHead, isForHead], [said, 0])
  }
})
