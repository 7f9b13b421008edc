import assert from 'node:assert/strict'
import test from 'node:test'
import { ERRORS, HawserError } from '@hawser/core'
import type { ErrorCode } from '@hawser/core'
import { describeFailure, exitCodeOf } from './failure.ts'

test('what was typed or configured wrongly is 2, all else is 1', () => {
  const usage = Object.entries(ERRORS).filter(([, kind]) => kind.class === 'usage')
  assert.ok(usage.length > 3)
  for (const [code] of usage) assert.equal(exitCodeOf(new HawserError(code as ErrorCode, 'x')), 2, code)
  assert.equal(exitCodeOf(new HawserError('address_invalid', 'x')), 2)
  for (const code of [
    'tunnel_auth_failed',
    'edge_unreachable',
    'storage_failed',
    'unauthorized',
    'not_found',
  ] as const) {
    assert.equal(exitCodeOf(new HawserError(code, 'x')), 1, code)
  }
  assert.equal(exitCodeOf(new TypeError('x')), 1)
  assert.equal(exitCodeOf('x'), 1)
})

test('an error is a sentence with its code, and a line that says what to do next', () => {
  const text = describeFailure(new HawserError('token_invalid', 'not a tunnel token'), 'hawser connector run')
  assert.match(
    text,
    /^hawser: not a tunnel token \(token_invalid\)\nPrint the token again with: hawser tunnel token .+\n$/,
  )
})

test('an option that is wrong points at the help of its command', () => {
  const text = describeFailure(new HawserError('options_invalid', 'x'), 'hawser tunnel create')
  assert.equal(text, 'hawser: x (options_invalid)\nSee: hawser tunnel create --help\n')
})

test('a tunnel that is not there points at the list', () => {
  assert.match(describeFailure(new HawserError('not_found', 'x'), 'hawser tunnel info'), /hawser tunnel list/)
  assert.equal(describeFailure(new HawserError('not_found', 'x'), 'hawser edge'), 'hawser: x (not_found)\n')
})

test('where the data directory is refused by Hawser itself, the sentence is all there is to say', () => {
  const inUse = new HawserError(
    'storage_failed',
    'edge.lock: another edge (process 7) uses this data directory; stop it',
  )
  assert.match(describeFailure(inUse, 'hawser edge'), /^hawser: edge\.lock: .+; stop it \(storage_failed\)\n$/)
  const cause = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  const full = new HawserError('storage_failed', 'edge.id: cannot be written (ENOSPC)', { cause })
  assert.match(describeFailure(full, 'hawser edge'), /\(storage_failed\)\nCheck that .+ room on its disk.+\n$/)
})

test('a code without a hint is one line', () => {
  assert.equal(describeFailure(new HawserError('conflict', 'x'), 'hawser edge'), 'hawser: x (conflict)\n')
})

test('a fault of ours says so and keeps its stack', () => {
  const text = describeFailure(new TypeError('boom'), 'hawser edge')
  assert.match(text, /^hawser: a fault inside Hawser \(proxy_internal_error\)\nTypeError: boom\n {4}at /)
  assert.match(describeFailure('text', 'hawser edge'), /\ntext\n$/)
})

test('of a configuration file each problem has a line, and no other message begins one', () => {
  const said = describeFailure(new HawserError('config_invalid', 'a:1:1: x\nb:2:2: \u001b[31m'), 'hawser edge')
  assert.match(said, /^hawser: a:1:1: x\nb:2:2: \\x1b\[31m \(config_invalid\)\n/)
  assert.match(describeFailure(new HawserError('dns_error', 'x\ny'), 'hawser edge'), /^hawser: x\\x0ay \(dns_error\)\n/)
})
