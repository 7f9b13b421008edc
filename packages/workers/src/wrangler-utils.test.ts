import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wranglerUtils } from './wrangler-utils.ts'

test('wrangler’s package loads, once, and leaves no global behind', () => {
  const utils = wranglerUtils()
  assert.equal(typeof utils.normalizeAndValidateConfig, 'function')
  assert.equal(wranglerUtils(), utils)
  assert.equal('require' in globalThis, false)
})
