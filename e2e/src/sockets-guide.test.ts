/** Runs every example of docs/sockets.md and compares what it says with what the guide says it does. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { readGuide } from './support/guide.ts'
import { startGuideSite } from './support/guide-site.ts'
import type { GuideSite } from './support/guide-site.ts'

const markdown = readFileSync(new URL('../../docs/sockets.md', import.meta.url), 'utf8')
const guide = readGuide(markdown)

function tidy(text: string): string {
  return text.replaceAll('\r\n', '\n').trim()
}

describe('docs/sockets.md', { timeout: 120_000 }, () => {
  let site: GuideSite
  before(async () => {
    site = await startGuideSite(guide)
  })
  after(() => site[Symbol.asyncDispose]())

  for (const example of guide.examples) {
    test(`line ${example.line}: the example for ${example.runtime} does what it says`, async () => {
      assert.equal(tidy(await site.run(example)), tidy(example.output))
    })
  }
})

test('the guide has examples for both runtimes, and files they share', () => {
  const count = (runtime: string): number => guide.examples.filter((example) => example.runtime === runtime).length
  assert.ok(count('worker') >= 8)
  assert.ok(count('node') >= 1)
  assert.deepEqual([...guide.files.keys()], ['hawser.jsonc', 'ping.js'])
})

test('an example without output is a mistake in the guide', () => {
  assert.throws(() => readGuide('# x\n\n```js worker\n1\n```\n\n```js\n2\n```\n'), /line 3 is not followed/)
  assert.deepEqual(readGuide('```js\nno example\n```\n').examples, [])
})
