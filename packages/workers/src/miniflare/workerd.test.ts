import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CapturedLog } from '@hawser/testkit'
import { chooseWorkerd, compatibilityDate } from './workerd.ts'

test('a date that workerd knows is taken as it is', () => {
  const log = new CapturedLog()
  assert.equal(compatibilityDate('2024-09-23', log), '2024-09-23')
  assert.deepEqual(log.lines, [])
})

test('no date, or one of the future, becomes the newest there is, and the log says so', () => {
  const log = new CapturedLog()
  const newest = compatibilityDate(undefined, log)
  assert.match(newest, /^\d{4}-\d\d-\d\d$/)
  assert.ok(newest <= new Date().toISOString().slice(0, 10))
  assert.equal(compatibilityDate('9999-01-01', log), newest)
  assert.equal(compatibilityDate(newest, log), newest)
  assert.deepEqual(
    log.at('warn').map(({ message }) => message),
    [
      `no "compatibility_date" in the configuration: using ${newest}`,
      `"compatibility_date" 9999-01-01 is newer than workerd knows: using ${newest}`,
    ],
  )
})

test('the workerd of this package is chosen, unless the user chose', async (t) => {
  const before = process.env['MINIFLARE_WORKERD_PATH']
  t.after(() => {
    if (before === undefined) delete process.env['MINIFLARE_WORKERD_PATH']
    else process.env['MINIFLARE_WORKERD_PATH'] = before
  })
  delete process.env['MINIFLARE_WORKERD_PATH']
  await chooseWorkerd()
  assert.match(process.env['MINIFLARE_WORKERD_PATH'] ?? '', /workerd/)

  process.env['MINIFLARE_WORKERD_PATH'] = process.execPath
  await chooseWorkerd()
  assert.equal(process.env['MINIFLARE_WORKERD_PATH'], process.execPath)

  process.env['MINIFLARE_WORKERD_PATH'] = import.meta.filename
  await assert.rejects(chooseWorkerd(), { code: 'runtime_failed', message: /MINIFLARE_WORKERD_PATH: not a program/ })
})
