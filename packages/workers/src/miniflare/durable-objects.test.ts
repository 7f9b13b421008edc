import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durableObjectClasses } from './durable-objects.ts'

type Source = Parameters<typeof durableObjectClasses>[0]

function classes(migrations: Source['migrations'], exports: Source['exports'] = {}): [string, boolean][] {
  return [...durableObjectClasses({ migrations, exports })].toSorted(([a], [b]) => a.localeCompare(b))
}

test('migrations are applied in order', () => {
  const found = classes([
    { tag: 'v1', new_classes: ['A', 'B'], new_sqlite_classes: ['C'] },
    { tag: 'v2', renamed_classes: [{ from: 'C', to: 'D' }], deleted_classes: ['B'] },
    { tag: 'v3', new_sqlite_classes: ['B'] },
  ])
  assert.deepEqual(found, [
    ['A', false],
    ['B', true],
    ['D', true],
  ])
})

test('exports declare classes without migrations', () => {
  const found = classes([], { A: { type: 'durable-object', storage: 'sqlite' }, B: { type: 'worker' } })
  assert.deepEqual(found, [['A', true]])
})

test('a migration of a class that is not there, or there already, is refused', () => {
  const bad: readonly [Source['migrations'], RegExp][] = [
    [[{ tag: 'v1', deleted_classes: ['A'] }], /deleted_classes migration to non-existent class A/],
    [[{ tag: 'v1', renamed_classes: [{ from: 'A', to: 'B' }] }], /renamed_classes migration to non-existent class A/],
    [
      [
        { tag: 'v1', new_classes: ['A'] },
        { tag: 'v2', new_classes: ['A'] },
      ],
      /new_classes migration to existing class A/,
    ],
    [
      [{ tag: 'v1', new_classes: ['A'], new_sqlite_classes: ['A'] }],
      /new_sqlite_classes migration to existing class A/,
    ],
  ]
  for (const [migrations, message] of bad) {
    assert.throws(() => classes(migrations), { code: 'config_invalid', message })
  }
})
