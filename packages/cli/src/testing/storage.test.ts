import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { openStorage } from './storage.ts'

test('every Worker gets a folder of its own, which goes with what is in it', async () => {
  const [first, second] = await Promise.all([openStorage(), openStorage()])
  assert.notEqual(first.folder, second.folder)
  await writeFile(join(first.folder, 'rows'), 'x')
  await first[Symbol.asyncDispose]()
  assert.deepEqual([existsSync(first.folder), existsSync(second.folder)], [false, true])
  await second[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
  assert.equal(existsSync(second.folder), false)
})

test('one listener waits for the end of the process, and none once all is released', async () => {
  const before = process.listenerCount('exit')
  const all = await Promise.all(Array.from({ length: 20 }, () => openStorage()))
  assert.equal(process.listenerCount('exit'), before + 1)
  await Promise.all(all.map((storage) => storage[Symbol.asyncDispose]()))
  assert.equal(process.listenerCount('exit'), before)
})
