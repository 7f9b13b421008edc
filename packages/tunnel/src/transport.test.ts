import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connectError } from './transport.ts'

function nodeError(code: string | undefined): Error {
  return Object.assign(new Error('what Node says'), { code })
}

describe('connectError', () => {
  for (const [code, meaning] of [
    ['ECONNREFUSED', 'edge_unreachable'],
    ['ECONNRESET', 'edge_unreachable'],
    ['ENOTFOUND', 'edge_unreachable'],
    [undefined, 'edge_unreachable'],
    ['CERT_HAS_EXPIRED', 'edge_certificate_error'],
    ['CERT_NOT_YET_VALID', 'edge_certificate_error'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'edge_certificate_error'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'edge_certificate_error'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'edge_certificate_error'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'edge_certificate_error'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'edge_certificate_error'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tunnel_protocol_error'],
    ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'tunnel_protocol_error'],
  ] as const) {
    test(`${code ?? 'no code'} means ${meaning}`, () => {
      const cause = nodeError(code)
      const error = connectError(cause, 'edge:7844')
      assert.equal(error.code, meaning)
      assert.equal(error.cause, cause)
      assert.match(error.message, /^edge:7844.*what Node says/)
    })
  }
})
