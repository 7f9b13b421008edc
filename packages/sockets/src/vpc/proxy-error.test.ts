import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FlowFailed, linkFailed, proxyError, readFailure } from './proxy-error.ts'

test('an error reads as a Worker’s does, and carries code, flow, and why in words', () => {
  const node = new Error('boom')
  const error = proxyError({ code: 'dns_error', message: 'no such name', flow: 'f-1', cause: node })
  assert.equal(String(error), 'Error: ProxyError: dns_error')
  assert.equal(error.code, 'dns_error')
  assert.equal(error.flow, 'f-1')
  assert.equal((error.cause as Error).message, 'no such name')
  assert.equal((error.cause as Error).cause, node)
})

test('an answer of the edge’s own is read; any other text is none', () => {
  assert.deepEqual(readFailure('{"code":"a","message":"b","flow":"c","more":1}'), {
    code: 'a',
    message: 'b',
    flow: 'c',
  })
  assert.deepEqual(readFailure('{"code":"a","message":"b","flow":7}'), { code: 'a', message: 'b', flow: undefined })
  for (const text of ['', '{', 'null', '7', '[]', '{}', '{"code":1,"message":"b"}', '{"code":"a"}']) {
    assert.equal(readFailure(text), undefined, text)
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readFailure(text)))
})

test('a failure of the way is told from a wrong edge by Node’s code', () => {
  const coded = (code: string): Error => Object.assign(new Error('why'), { code })
  for (const code of ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_HAS_EXPIRED']) {
    const failure = linkFailed('edge:1', coded(code))
    assert.equal(failure.code, 'edge_certificate_error')
    assert.equal(failure.message, `edge:1 is not the edge of this token: why (${code})`)
  }
  assert.equal(linkFailed('edge:1', coded('ERR_TLS_CERT_ALTNAME_INVALID')).code, 'edge_certificate_error')
  assert.equal(linkFailed('edge:1', coded('ECONNREFUSED')).code, 'edge_unreachable')
  const plain = new Error('why')
  assert.equal(linkFailed('edge:1', plain).message, 'edge:1: why')
  assert.equal(linkFailed('edge:1', plain).cause, plain)
})

test('what the edge has said stays as it is', () => {
  const said = new FlowFailed({ code: 'dns_error', message: 'no such name', flow: 'f-1' })
  assert.equal(linkFailed('edge:1', said), said)
})
