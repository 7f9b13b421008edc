import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOptions } from './options.ts'

test('without options everything is run on every host', () => {
  assert.deepEqual(parseOptions([]), { help: false, json: false, only: [], hosts: ['native', 'hawser', 'node'] })
})

test('hosts come in the order of the table, whatever the order given', () => {
  assert.deepEqual(parseOptions(['--host', 'node', '--host=native']).hosts, ['native', 'node'])
})

test('--only may be given several times, --json and --help are flags', () => {
  const options = parseOptions(['--only', 'S-1', '--only', 'S-054b', '--json', '--help'])
  assert.deepEqual(options.only, ['S-1', 'S-054b'])
  assert.equal(options.json, true)
  assert.equal(options.help, true)
})

for (const words of [['--host', 'deno'], ['--host'], ['--jsn'], ['S-1']]) {
  test(`${words.join(' ')} is refused`, () => {
    assert.throws(() => parseOptions(words), { name: 'UsageError' })
  })
}

test('the refusal of a host names what was given and what is allowed', () => {
  assert.throws(() => parseOptions(['--host', 'deno']), {
    message: '--host: got "deno", allowed: native, hawser, node',
  })
})
