import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from './known.ts'

test('a failure is explained only for its driver, its mode and its check', () => {
  assert.match(explain('memcached', 'plain', 'gone: no answer in time') ?? '', /does not notice/)
  assert.equal(explain('memcached', 'plain', 'big: no answer in time'), undefined)
  assert.equal(explain('memcached', 'tls', 'gone: no answer in time'), undefined)
  assert.equal(explain('pg', 'plain', 'gone: no answer in time'), undefined)
})
