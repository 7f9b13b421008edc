/** What drivers in a Worker are told of failed connections. */
import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { test } from 'node:test'
import { ERRORS } from '@hawser/core'
import fc from 'fast-check'
import { connectError, endedByPeerError, invalidType, lostError, notImplemented } from './runtime-node/node-errors.ts'

interface NodeError extends Error {
  readonly code: string
  readonly errno?: number
  readonly syscall: string
  readonly [field: string]: unknown
}

/** What becomes of a failure that the edge words so (`runtime/proxy-error.ts`). */
function failed(code: string, message: string, host = 'db.internal'): NodeError {
  const fields = { code, flow: 'f1' }
  const reason = Object.assign(new Error(`ProxyError: ${code}`, { cause: new Error(message) }), fields)
  return connectError(reason, host, 5432) as unknown as NodeError
}

/** Codes of Hawser's that no connection fails with: they are about requests, tunnels as such, or files. */
const NO_CONNECTION =
  /^(http_(?!request_denied)|edge_|tunnel_(auth|protocol|window|connector)|connection_(read|write)_)|^(?!.*_)|_(invalid|failed)$/

test('every code of a failed connection has one of Node.js, with its number where the system has one', () => {
  for (const code of Object.keys(ERRORS)) {
    const error = failed(code, 'because')
    const { syscall } = error
    assert.match(error.code, /^[A-Z_]+$/, code)
    assert.ok(error.message.startsWith(`${syscall} ${error.code} db.internal`), error.message)
    assert.ok(error.message.endsWith('(because)'))
    assert.equal((error.cause as NodeError).code, code)
    assert.equal(error['flow'], 'f1')
    const known: Readonly<Record<string, number>> = constants.errno
    const number = known[error.code]
    if (number !== undefined && process.platform === 'linux') assert.equal(error.errno, -number, error.code)
    const { class: kind } = ERRORS[code as keyof typeof ERRORS]
    if (kind === 'upstream' && !NO_CONNECTION.test(code)) assert.notEqual(error.code, 'EIO', code)
  }
})

test('what drivers look at is where Node.js puts it', () => {
  const refused = failed('connection_refused', 'no')
  assert.deepEqual([refused.syscall, refused['address'], refused['port']], ['connect', 'db.internal', 5432])
  const unknown = failed('dns_error', 'no')
  assert.deepEqual([unknown.code, unknown.errno, unknown.syscall], ['ENOTFOUND', -3008, 'getaddrinfo'])
  assert.deepEqual([unknown['hostname'], unknown['address']], ['db.internal', undefined])
  assert.equal(unknown.message, 'getaddrinfo ENOTFOUND db.internal (no)')
  const untrusted = failed('tls_certificate_error', 'db.internal: self-signed certificate')
  assert.deepEqual([untrusted['host'], untrusted.errno], ['db.internal', undefined])
})

/** As the edge passes on what Node.js says: the name to prove, a colon, the verdict. */
const VERDICTS: Readonly<Record<string, string>> = {
  'self-signed certificate': 'DEPTH_ZERO_SELF_SIGNED_CERT',
  'self-signed certificate in certificate chain': 'SELF_SIGNED_CERT_IN_CHAIN',
  'unable to verify the first certificate': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'unable to get local issuer certificate': 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'unable to get issuer certificate': 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'certificate has expired': 'CERT_HAS_EXPIRED',
  'certificate is not yet valid': 'CERT_NOT_YET_VALID',
  'certificate revoked': 'CERT_REVOKED',
  "Hostname/IP does not match certificate's altnames: Host: x. is not in the cert's altnames: DNS:y":
    'ERR_TLS_CERT_ALTNAME_INVALID',
  'C0DE:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:x.c:916:SSL alert number 116':
    'EPROTO',
}

test('verdicts on certificates have the codes of OpenSSL, whatever the host is called', () => {
  const words = ['expired', 'self-signed', 'alert', 'hostname', 'revoked', 'altname', 'issuer', 'db', 'internal']
  const host = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  fc.assert(
    fc.property(host, fc.constantFrom(...Object.keys(VERDICTS)), (name, verdict) => {
      assert.equal(failed('tls_certificate_error', `${name}: ${verdict}`, name).code, VERDICTS[verdict])
    }),
  )
})

test('anything at all can be the reason of a failure', () => {
  fc.assert(
    fc.property(fc.anything(), (reason) => {
      const error = connectError(reason, 'h', 1) as NodeError
      assert.equal(typeof error.code, 'string')
      assert.ok(error.message.startsWith('connect '))
    }),
  )
})

test('a lost connection names the call that met the loss', () => {
  const cause = new Error('Network connection lost.')
  for (const syscall of ['read', 'write'] as const) {
    const { message, cause: found, ...rest } = lostError(syscall, cause) as NodeError
    assert.deepEqual([message, found], [`${syscall} ECONNRESET`, cause])
    assert.deepEqual({ ...rest }, { errno: -104, code: 'ECONNRESET', syscall })
  }
  assert.equal(Reflect.get(endedByPeerError(), 'code'), 'EPIPE')
})

test('errors of wrong use are worded as in Node.js', () => {
  const shown = [null, undefined, {}, [], () => {}, 'text', 5, true, 5n, Symbol('s')].map(
    (value) => invalidType('"x" argument', 'of type y', value).message.split('. ')[1],
  )
  assert.deepEqual(shown, [
    'Received null',
    'Received undefined',
    'Received an object',
    'Received an object',
    'Received a function',
    "Received type string ('text')",
    'Received type number (5)',
    'Received type boolean (true)',
    'Received type bigint (5)',
    'Received type symbol (Symbol(s))',
  ])
  assert.equal(notImplemented('options.x').message, 'The options.x option is not implemented')
})
