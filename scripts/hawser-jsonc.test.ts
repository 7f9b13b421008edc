/** What is made of the schema of `hawser.jsonc` is kept in the repository, and must not lag behind it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { JsoncFile } from '../packages/workers/src/jsonc-file.ts'
import { hawserSchema } from '../packages/workers/src/hawser-schema.ts'
import { PAGE_FILE, pageText, SCHEMA_FILE, schemaText } from './hawser-jsonc.ts'

const REMEDY = 'run: node scripts/hawser-jsonc.ts'

test('the JSON Schema that is shipped is the schema that is checked', async () => {
  assert.equal(await readFile(SCHEMA_FILE, 'utf8'), schemaText(), REMEDY)
})

test('the page of hawser.jsonc is made of the schema that is checked', async () => {
  assert.equal(await readFile(PAGE_FILE, 'utf8'), pageText(), REMEDY)
})

test('every key and every binding of the schema is explained to editors', () => {
  const unexplained: string[] = []
  const walk = (schema: Readonly<Record<string, unknown>>, path: string): void => {
    const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>)
    for (const [key, value] of properties) {
      if (typeof value['description'] !== 'string') unexplained.push(`${path}.${key}`)
      walk(value, `${path}.${key}`)
    }
    for (const inner of ['additionalProperties', 'items']) {
      const below = schema[inner]
      if (typeof below === 'object') walk(below as Record<string, unknown>, `${path}.*`)
    }
  }
  walk(JSON.parse(schemaText()) as Record<string, unknown>, '')
  assert.deepEqual(unexplained, [])
})

test('the example of the page is one that is accepted, and uses every key', () => {
  const [, example = ''] = /```jsonc\n([^`]+)```/.exec(pageText()) ?? []
  const value = new JsoncFile('/hawser.jsonc', example).value as Record<string, unknown>
  assert.deepEqual(hawserSchema.safeParse(value).error, undefined)
  assert.deepEqual(Object.keys(value), Object.keys(hawserSchema.shape))
})

test('what the guide for users of wrangler writes into hawser.jsonc is accepted', async () => {
  const guide = await readFile('docs/coming-from-wrangler.md', 'utf8')
  const blocks = [...guide.matchAll(/```jsonc\n(\/\/ hawser\.jsonc[^`]+)```/g)].map(([, block = '']) => block)
  // Fragments stand in tables, `"key": …`, and belong under the key that they begin with.
  const fragments = [...guide.matchAll(/`("(?:egress|networks|services|tls|limits)": [^`]+)`/g)].map(
    ([, fragment = '']) => `{ ${fragment} }`,
  )
  assert.ok(blocks.length === 1 && fragments.length > 3)
  for (const text of [...blocks, ...fragments]) {
    assert.deepEqual(hawserSchema.safeParse(new JsoncFile('/hawser.jsonc', text).value).error, undefined, text)
  }
})

test('keys that nobody knows are refused by editors as well', () => {
  const open: string[] = []
  const walk = (schema: Readonly<Record<string, unknown>>, path: string): void => {
    if (schema['properties'] !== undefined && schema['additionalProperties'] !== false) open.push(path)
    for (const [key, value] of Object.entries(schema)) {
      if (typeof value === 'object' && value !== null) walk(value as Record<string, unknown>, `${path}/${key}`)
    }
  }
  walk(JSON.parse(schemaText()) as Record<string, unknown>, '')
  assert.deepEqual(open, [])
})
