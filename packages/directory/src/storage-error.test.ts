import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { guardStorage } from './storage-error.ts'

test('what goes well passes through', async () => {
  assert.equal(await guardStorage('count', () => Promise.resolve(3)), 3)
})

test("a database's error gets a code, a sentence and keeps its cause", async () => {
  const cause = new Error('disk I/O error')
  await assert.rejects(
    guardStorage('list tunnels', () => Promise.reject(cause)),
    { code: 'storage_failed', message: 'directory: could not list tunnels: disk I/O error', cause },
  )
  await assert.rejects(
    guardStorage('list tunnels', () => {
      throw cause
    }),
    { code: 'storage_failed' },
  )
})

test('an error that has a code keeps it', async () => {
  const error = new HawserError('conflict', 'taken')
  await assert.rejects(
    guardStorage('create', () => Promise.reject(error)),
    error,
  )
})
