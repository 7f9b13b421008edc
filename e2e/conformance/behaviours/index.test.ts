import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { each } from '../support/behaviour.ts'
import { behaviours } from './index.ts'

test('every behaviour has an id of its own, which names an item of the reference', () => {
  const ids = behaviours.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(
    ids.filter((id) => !/^S-\d{3}[a-z]?$/.test(id)),
    [],
  )
  assert.ok(ids.length >= 150, `${ids.length} behaviours`)
})

test('every title is a sentence in one line', () => {
  for (const { id, title } of behaviours) {
    assert.match(title, /^\S.*[^\s.]$/, id)
    assert.ok(!title.includes('\n'), id)
  }
})

test('what runs in every host imports nothing of Node or of workerd', async () => {
  for (const folder of ['../behaviours', '../support']) {
    const url = new URL(`${folder}/`, import.meta.url)
    for (const name of await readdir(url)) {
      if (name.endsWith('.test.ts')) continue
      assert.doesNotMatch(await readFile(new URL(name, url), 'utf8'), /from '(node|cloudflare|@hawser)[:/]/, name)
    }
  }
})

test('each() numbers behaviours by letter', () => {
  const made = each('S-001', ['x', 'y'], (title) => ({ title, peer: 'live', run: () => Promise.resolve() }), 'c')
  assert.deepEqual(
    made.map(({ id, title }) => [id, title]),
    [
      ['S-001c', 'x'],
      ['S-001d', 'y'],
    ],
  )
})
