import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { KNOWN } from './known.ts'
import { MATRIX } from './matrix.ts'

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
}

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as Manifest
const runnable = MATRIX.filter(({ server }) => typeof server !== 'string')

test('there are at least 14 drivers with a server, and at least 8 of them speak TLS', () => {
  assert.ok(runnable.length >= 14, `${runnable.length}`)
  assert.ok(runnable.filter(({ tls }) => tls).length >= 8)
})

test('every driver that has a server has its Worker', () => {
  for (const { name } of runnable) assert.ok(existsSync(new URL(`fixtures/${name}.ts`, import.meta.url)), name)
})

test('every driver but the one by hand is a package of this folder, at one exact version', () => {
  const missing = MATRIX.filter(({ name }) => dependencies[name] === undefined).map(({ name }) => name)
  assert.deepEqual(missing, ['gopher'])
  for (const version of Object.values(dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/)
})

test('the lock file names no registry', () => {
  const lock = readFileSync(new URL('package-lock.json', import.meta.url), 'utf8')
  assert.doesNotMatch(lock, /"resolved"/)
})

test('reasons are known only of drivers and modes that are run', () => {
  for (const { driver, modes } of KNOWN) {
    const entry = MATRIX.find(({ name }) => name === driver)
    assert.ok(entry !== undefined, driver)
    if (modes.includes('tls')) assert.equal(entry.tls, true, driver)
  }
})
