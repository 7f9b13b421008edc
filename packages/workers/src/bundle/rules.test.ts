import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CapturedLog } from '@hawser/testkit'
import fc from 'fast-check'
import { globToRegExp, moduleRules } from './rules.ts'

test('without rules of its own a Worker has wrangler’s', () => {
  const log = new CapturedLog()
  const { active, shadowed } = moduleRules([], log)
  const typeOf = (path: string) => active.find(({ globs }) => globs.some((glob) => globToRegExp(glob).test(path)))?.type
  assert.equal(typeOf('./page.html'), 'Text')
  assert.equal(typeOf('./schema.sql'), 'Text')
  assert.equal(typeOf('pkg/data.bin'), 'Data')
  assert.equal(typeOf('./add.wasm'), 'CompiledWasm')
  assert.equal(typeOf('./add.wasm?module'), 'CompiledWasm')
  assert.equal(typeOf('./code.ts'), undefined)
  assert.deepEqual([shadowed, log.lines], [[], []])
})

test('a rule hides later ones of its type, and says so unless told not to', () => {
  const text = { type: 'Text' as const, globs: ['**/*.md'] }
  const log = new CapturedLog()
  const hiding = moduleRules([text], log)
  assert.deepEqual(
    hiding.active.map(({ globs }) => globs[0]),
    ['**/*.md', '**/*.bin', '**/*.wasm'],
  )
  assert.deepEqual(
    hiding.shadowed.map(({ globs }) => globs[0]),
    ['**/*.txt'],
  )
  assert.match(log.at('warn')[0]?.message ?? '', /\*\*\/\*\.md.*hides.*\*\*\/\*\.txt/)

  const silent = new CapturedLog()
  assert.equal(moduleRules([{ ...text, fallthrough: false }], silent).shadowed.length, 1)
  assert.deepEqual(silent.lines, [])

  const both = moduleRules([{ ...text, fallthrough: true }], silent)
  assert.deepEqual(both.shadowed, [])
  assert.deepEqual(
    both.active.map(({ globs }) => globs[0]),
    ['**/*.md', '**/*.txt', '**/*.bin', '**/*.wasm'],
  )
})

test('rules for Python are left out with a warning', () => {
  const log = new CapturedLog()
  assert.equal(moduleRules([{ type: 'PythonModule', globs: ['**/*.py'] }], log).active.length, 3)
  assert.match(log.at('warn')[0]?.message ?? '', /PythonModule/)
})

test('in an import a star matches anything, in a file tree only within its segment', () => {
  const table: readonly [glob: string, path: string, loose: boolean, tree: boolean][] = [
    ['**/*.txt', './a.txt', true, true],
    ['**/*.txt', 'a.txt', false, true],
    ['**/*.txt', 'a/b/c.txt', true, true],
    ['*.txt', 'a/b.txt', true, false],
    ['lang/*.json', 'lang/de.json', true, true],
    ['lang/*.json', 'lang/x/de.json', true, false],
    ['lang/**', 'lang/x/de.json', true, true],
    ['a.b', 'axb', false, false],
    ['**/*.wasm?module', 'x/add.wasm?module', true, true],
    ['**/*.wasm?module', 'x/add.wasmXmodule', false, false],
  ]
  for (const [glob, path, loose, tree] of table) {
    assert.equal(globToRegExp(glob).test(path), loose, `${glob} in an import of ${path}`)
    assert.equal(globToRegExp(glob, 'segments').test(path), tree, `${glob} on the file ${path}`)
  }
})

test('property: text without stars matches itself and nothing else', () => {
  const literal = fc.string({ maxLength: 20 }).filter((text) => !text.includes('*'))
  fc.assert(
    fc.property(literal, literal, (glob, text) => {
      for (const mode of [undefined, 'segments'] as const) {
        assert.ok(globToRegExp(glob, mode).test(glob))
        assert.equal(globToRegExp(glob, mode).test(text), glob === text)
      }
    }),
  )
})
