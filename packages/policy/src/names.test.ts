import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeName } from './names.ts'

test('localhost and every name under it stay off the resolver', () => {
  for (const name of ['localhost', 'a.localhost', 'a.b.localhost', 'localhost.localhost']) {
    assert.deepEqual(judgeName(name), { allowed: false, rule: 'blocked-names/localhost' })
  }
})

test("names of the conversation between a Worker's module and the edge stay off the resolver", () => {
  for (const name of ['hawser', 'flows.hawser', 'a.c-1-00000000000000000000000000000000.hawser']) {
    assert.deepEqual(judgeName(name), { allowed: false, rule: 'blocked-names/hawser' })
  }
})

test('names that only look alike are like any other', () => {
  for (const name of ['localhost.example', 'mylocalhost', 'hawser.dev', 'xhawser', 'example.com', 'db']) {
    assert.deepEqual(judgeName(name), { allowed: true, rule: 'public' })
  }
})
