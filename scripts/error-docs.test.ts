import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ERRORS } from '@hawser/core'
import { ADVICE } from './error-advice.ts'
import { ERROR_DOCS, errorDocs } from './error-docs.ts'

test('docs/errors.md is what the table of codes makes of it', async () => {
  const written = await readFile(ERROR_DOCS, 'utf8')
  assert.equal(written, errorDocs(), 'stale: run `node scripts/write-error-docs.ts`')
})

test('every code stands on the page once, with its summary, and nothing else does', () => {
  const rows = errorDocs().matchAll(/^\| `(\w+)` \| (.*?) \| /gm)
  const found = [...rows].map(([, code = '', summary = '']): [string, string] => [code, summary])
  const summaries = Object.entries(ERRORS).map(([code, { summary }]): [string, string] => [code, summary])
  assert.equal(found.length, summaries.length)
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(summaries))
})

test('every remedy is a sentence that fits into a table, for a reader', () => {
  for (const [code, { readers, remedy }] of Object.entries(ADVICE)) {
    assert.ok(Object.hasOwn(ERRORS, code), `${code} is no code any more`)
    assert.match(remedy, /^\S[^\n]*\.$/, code)
    assert.ok(readers.length > 0, code)
  }
})

test('a code that nobody has thought about is named', () => {
  const { dns_error: _, ...others } = ADVICE
  assert.throws(() => errorDocs(others), /error-advice\.ts says nothing of dns_error/)
})

test('a bar in a text does not end its cell', () => {
  const page = errorDocs({ ...ADVICE, conflict: { readers: ['API'], remedy: 'One | two.' } })
  assert.match(page, /\| One \\\| two\. \|/)
})
