import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { VERSION as CONNECTOR_VERSION } from '@hawser/connector'
import { VERSION } from './version.ts'

test('the version is that of the package, and the connector tells the same', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  assert.equal(VERSION, manifest.version)
  assert.equal(CONNECTOR_VERSION, manifest.version)
})
