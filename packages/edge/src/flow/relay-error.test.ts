import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { memoryPair } from '@hawser/testkit'
import { relayError } from './relay-error.ts'

const OTHER = memoryPair()[0]

function coded(code: string): Error {
  return Object.assign(new Error('as the test has it'), { code })
}

test('relay error: what the Worker did is an abort, what the target did is not', async () => {
  const [worker] = memoryPair()
  const error = coded('ECONNRESET')
  const failed = once(worker, 'error')
  worker.destroy(error)
  await failed
  assert.equal(relayError(error, worker).code, 'connection_aborted')
  assert.equal(relayError(error, OTHER).code, 'connection_terminated')
  assert.equal(relayError('a text', OTHER).code, 'connection_terminated')
})

test('relay error: an error with a code keeps it, unless it is one of the tunnel', () => {
  const aborted = new HawserError('connection_aborted', 'x')
  assert.equal(relayError(aborted, OTHER), aborted)
  assert.equal(relayError(new HawserError('tunnel_closed', 'x'), OTHER).code, 'connection_terminated')
})

test('relay error: what the TLS layer says of certificates or of the protocol has their codes', () => {
  const codes = {
    ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'tls_certificate_error',
    ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'tls_certificate_error',
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'tls_certificate_error',
    ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'tls_certificate_error',
    ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 'tls_protocol_error',
    ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR: 'tls_protocol_error',
  }
  for (const [code, expected] of Object.entries(codes))
    assert.equal(relayError(coded(code), OTHER).code, expected, code)
})
