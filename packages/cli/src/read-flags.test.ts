import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import type { FlagSpec } from './command.ts'
import { optionName, readFlags } from './read-flags.ts'

const source = { env: {}, cwd: '/somewhere' }
const one = (spec: Omit<FlagSpec, 'help'>, raw?: unknown, env: Record<string, string> = {}): unknown =>
  readFlags({ someFlag: { ...spec, help: 'h' } }, { someFlag: raw }, { ...source, env })['someFlag']

test('a key is its option in kebab case', () => {
  assert.equal(optionName('dataDir'), '--data-dir')
  assert.equal(optionName('json'), '--json')
  assert.equal(optionName('logLevelOfAll'), '--log-level-of-all')
})

const good: readonly (readonly [spec: Omit<FlagSpec, 'help'>, raw: unknown, value: unknown])[] = [
  [{ kind: 'string' }, 'x', 'x'],
  [{ kind: 'string' }, undefined, undefined],
  [{ kind: 'string', default: 'd' }, undefined, 'd'],
  [{ kind: 'string', repeatable: true }, undefined, []],
  [{ kind: 'string', repeatable: true }, ['a', 'b'], ['a', 'b']],
  [{ kind: 'number' }, '-5', -5],
  [{ kind: 'number', min: 1, max: 3 }, '3', 3],
  [{ kind: 'number', implied: '9229' }, true, 9229],
  [{ kind: 'number', implied: '9229' }, '1', 1],
  [{ kind: 'number', implied: '9229' }, undefined, undefined],
  [{ kind: 'boolean' }, true, true],
  [{ kind: 'boolean' }, undefined, false],
  [{ kind: 'boolean', default: 'true' }, undefined, true],
  [{ kind: 'duration' }, '1.5s', 1500],
  [{ kind: 'hostPort' }, 'h:1', { host: 'h', port: 1 }],
  [{ kind: 'hostPort' }, '[::1]:1', { host: '::1', port: 1 }],
  [{ kind: 'hostPort', defaultPort: 7 }, 'h', { host: 'h', port: 7 }],
  [{ kind: 'cidr' }, '10.0.0.0/8', '10.0.0.0/8'],
  [{ kind: 'path' }, 'a/../b', '/somewhere/b'],
  [{ kind: 'path' }, '/a', '/a'],
  [{ kind: 'url' }, 'http://h:1/', 'http://h:1'],
  [{ kind: 'url' }, 'https://h/client/v4//', 'https://h/client/v4'],
  [{ kind: 'choice', choices: ['a', 'b'] }, 'b', 'b'],
]

for (const [spec, raw, value] of good) {
  test(`${JSON.stringify(spec)} reads ${JSON.stringify(raw)}`, () => assert.deepEqual(one(spec, raw), value))
}

const bad: readonly (readonly [spec: Omit<FlagSpec, 'help'>, raw: string, allowed: RegExp])[] = [
  [{ kind: 'string' }, '', /expected a value/],
  [{ kind: 'path' }, '', /expected a value/],
  [{ kind: 'number' }, 'x', /expected a whole number, got "x"/],
  [{ kind: 'number' }, '1.5', /expected a whole number, got "1.5"/],
  [{ kind: 'number' }, '0x10', /expected a whole number/],
  [{ kind: 'number', min: 1, max: 9 }, '0', /expected a whole number of 1 to 9, got "0"/],
  [{ kind: 'number', min: 1, max: 9 }, '10', /of 1 to 9/],
  [{ kind: 'duration' }, '30', /expected a duration such as 500ms, 30s, 5m or 1h, got "30"/],
  [{ kind: 'duration' }, 'soon', /got "soon"/],
  [{ kind: 'hostPort' }, 'h', /expected host:port/],
  [{ kind: 'hostPort' }, 'h:99999', /0 to 65535, got "h:99999"/],
  [{ kind: 'hostPort' }, '::1:80', /host:port/],
  [{ kind: 'url' }, 'h:1', /http or https URL/],
  [{ kind: 'url' }, 'ftp://h', /http or https URL/],
  [{ kind: 'url' }, 'http://u:p@h', /^--some-flag: expected a URL without credentials in it$/],
  [{ kind: 'url' }, 'http://h?x=1', /query/],
  [{ kind: 'url' }, 'http://h#x', /fragment/],
  [{ kind: 'choice', choices: ['a', 'b'] }, 'c', /expected one of a, b, got "c"/],
]

for (const [spec, raw, allowed] of bad) {
  test(`${JSON.stringify(spec)} refuses ${JSON.stringify(raw)} and names the flag`, () => {
    assert.throws(
      () => one(spec, raw),
      (error) => {
        assert.ok(HawserError.is(error, 'options_invalid') || HawserError.is(error, 'address_invalid'))
        assert.match(error.message, /^--some-flag: /)
        assert.match(error.message, allowed)
        return true
      },
    )
  })
}

test('the environment stands in for an absent flag, and an error names the variable', () => {
  const spec = { kind: 'duration', env: 'HAWSER_X', default: '1s' } as const
  assert.equal(one(spec, undefined, { HAWSER_X: '2s' }), 2000)
  assert.equal(one(spec, '3s', { HAWSER_X: '2s' }), 3000)
  assert.equal(one(spec, undefined, { HAWSER_X: '' }), 1000)
  assert.throws(() => one(spec, undefined, { HAWSER_X: 'x' }), /HAWSER_X: expected a duration/)
})

test('a repeatable flag takes a list from the environment, by commas or blanks', () => {
  const spec = { kind: 'cidr', repeatable: true, env: 'HAWSER_X' } as const
  assert.deepEqual(one(spec, undefined, { HAWSER_X: '10.0.0.0/8, fd00::/8\n::1' }), ['10.0.0.0/8', 'fd00::/8', '::1'])
})

test('a boolean from the environment is true or false and nothing else', () => {
  const spec = { kind: 'boolean', env: 'HAWSER_X' } as const
  assert.equal(one(spec, undefined, { HAWSER_X: 'true' }), true)
  assert.equal(one(spec, undefined, { HAWSER_X: 'false' }), false)
  assert.throws(() => one(spec, undefined, { HAWSER_X: 'yes' }), /HAWSER_X: expected true or false, got "yes"/)
})

test('a required flag that is absent is named with its variable', () => {
  assert.throws(() => one({ kind: 'path', required: true }), /^HawserError: --some-flag is required$/)
  assert.throws(() => one({ kind: 'path', required: true, env: 'X' }), /--some-flag is required \(or set X\)$/)
})

test('a secret arrives masked, and its text is in no message', () => {
  const value = one({ kind: 'string', secret: true }, 'hunter2')
  assert.ok(value instanceof Secret)
  assert.equal(String(value), '[secret]')
  assert.equal(value.reveal(), 'hunter2')
  assert.throws(
    () => one({ kind: 'number', secret: true }, 'hunter2'),
    (error) => error instanceof Error && !error.message.includes('hunter2'),
  )
})
