import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { defineCase } from './case.ts'
import type { Case } from './case.ts'
import { DEFAULT_RUNS, HELP, parseOptions } from './options.ts'

function named(name: string): Case {
  const ours = { name: 'hawser', absence: () => Promise.resolve(undefined) }
  const open = () => Promise.resolve(() => Promise.resolve(() => Promise.resolve(1)))
  return defineCase({ name, summary: 'nothing', unit: 's', better: 'less', ours, peers: [], open })
}

const ALL = ['tunnel-bulk-1', 'tunnel-bulk-8', 'tunnel-connect', 'routes'].map(named)
const namesOf = (...words: string[]): string[] => parseOptions(words, ALL).cases.map((of) => of.name)

test('without words every case runs, five times, as a table', () => {
  const options = parseOptions([], ALL)
  assert.deepEqual(options.cases, ALL)
  assert.equal(options.runs, DEFAULT_RUNS)
  assert.equal(DEFAULT_RUNS, 5)
  assert.equal(options.json, false)
  assert.equal(options.cpuProf, undefined)
})

test('a case is chosen by its name or by the beginning of it, in the order of the list', () => {
  assert.deepEqual(namesOf('routes'), ['routes'])
  assert.deepEqual(namesOf('tunnel'), ['tunnel-bulk-1', 'tunnel-bulk-8', 'tunnel-connect'])
  assert.deepEqual(namesOf('routes', 'tunnel-bulk'), ['tunnel-bulk-1', 'tunnel-bulk-8', 'routes'])
})

test('a case named twice runs once', () => {
  assert.deepEqual(namesOf('tunnel-connect', 'tunnel-connect'), ['tunnel-connect'])
})

test('an unknown case is refused with the names that are known', () => {
  for (const word of ['tunel', 'tunnel-bul', 'route', '']) {
    assert.throws(
      () => parseOptions([word], ALL),
      (error: unknown) => HawserError.is(error, 'options_invalid') && /known are tunnel-bulk-1, /.test(error.message),
    )
  }
})

test('flags are read wherever they stand', () => {
  const options = parseOptions(['routes', '--json', '--runs', '7', '--cpu-prof', 'profiles'], ALL)
  assert.equal(options.json, true)
  assert.equal(options.runs, 7)
  assert.equal(options.cpuProf, 'profiles')
  assert.equal(parseOptions(['--runs=9'], ALL).runs, 9)
  assert.equal(parseOptions(['--help'], ALL).help, true)
  assert.equal(parseOptions(['--list'], ALL).list, true)
})

test('a number of runs that is none is refused, naming the option and what was given', () => {
  for (const text of ['0', '-1', '1.5', 'five', '', '1e2', '1001']) {
    assert.throws(
      () => parseOptions([`--runs=${text}`], ALL),
      (error: unknown) =>
        HawserError.is(error, 'options_invalid') &&
        error.message.startsWith('--runs') &&
        error.message.includes(JSON.stringify(text)),
    )
  }
})

test('an unknown flag is refused', () => {
  assert.throws(
    () => parseOptions(['--fast'], ALL),
    (error: unknown) => HawserError.is(error, 'options_invalid') && error.message.includes('--fast'),
  )
})

test('the help names every option', () => {
  for (const option of ['--list', '--json', '--runs', '--cpu-prof', '--help']) assert.ok(HELP.includes(option))
})
