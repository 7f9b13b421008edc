import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Hono } from 'hono'
import { answerFor } from './errors.ts'
import { pageOf } from './paging.ts'
import type { Page } from './paging.ts'
import type { ApiEnv } from './resource.ts'

/** Asks for one page of the numbers below `length`; the message of the refusal where there is one. */
async function ask(length: number, query: string): Promise<Page<number> | string> {
  const app = new Hono<ApiEnv>()
  const numbers = Array.from({ length }, (_, at) => at)
  app.get('/', (c) => c.json(pageOf(c, numbers)))
  app.onError((error, c) => c.text(answerFor(error, {}).message, 400))
  const response = await app.request(`/?${query}`)
  return response.ok ? ((await response.json()) as Page<number>) : response.text()
}

test('pages put together are the list, and the page after the last is empty', async () => {
  const sizes = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 25 }))
  await fc.assert(
    fc.asyncProperty(sizes, async ([length, perPage]) => {
      const seen: number[] = []
      for (let page = 1; ; page += 1) {
        const answered = await ask(length, `page=${page}&per_page=${perPage}`)
        assert.ok(typeof answered !== 'string')
        const { items, info } = answered
        assert.deepEqual(info, {
          page,
          per_page: perPage,
          count: items.length,
          total_count: length,
          total_pages: Math.ceil(length / perPage),
        })
        if (items.length === 0) {
          assert.equal(page, info.total_pages + 1)
          break
        }
        seen.push(...items)
      }
      assert.deepEqual(
        seen,
        Array.from({ length }, (_, at) => at),
      )
    }),
    { numRuns: 50 },
  )
})

test('nothing asked for is the first page of twenty', async () => {
  const answered = await ask(50, '')
  assert.ok(typeof answered !== 'string')
  assert.equal(answered.items.length, 20)
  assert.deepEqual(answered.info, { page: 1, per_page: 20, count: 20, total_count: 50, total_pages: 3 })
})

test('an empty list has no pages, and says so', async () => {
  const answered = await ask(0, 'page=1')
  assert.ok(typeof answered !== 'string')
  assert.deepEqual(answered, { items: [], info: { page: 1, per_page: 20, count: 0, total_count: 0, total_pages: 0 } })
})

test('the message of a refusal names the parameter and its range, not what was sent', async () => {
  assert.equal(await ask(5, 'page=hunter2'), 'page: expected a whole number from 1 to 1000000')
  assert.equal(await ask(5, 'per_page=1001'), 'per_page: expected a whole number from 1 to 1000')
  for (const value of ['0', '00', '-1', '+1', '1e3', '0x10', '1.0', ' 1', '１', '12345678']) {
    assert.equal(typeof (await ask(5, `page=${encodeURIComponent(value)}`)), 'string', value)
  }
})
