import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { runtimeModules } from './runtime-modules.ts'

test('the modules for workerd are built once, each into one script that imports only what workerd has', async (t) => {
  assertNoLeaks(t)
  const modules = await runtimeModules()
  assert.equal(await runtimeModules(), modules)
  const imports = Object.entries(modules).map(([name, text]) => [
    name,
    [...text.matchAll(/^import .* from "([^"]+)";$/gm)].map((match) => match[1]),
  ])
  assert.deepEqual(Object.fromEntries(imports), {
    vpcNetwork: [],
    egress: ['cloudflare-internal:sockets'],
    invocations: ['node-internal:async_hooks'],
    runtime: ['cloudflare:workers'],
    exports: ['cloudflare:workers', 'hawser:runtime'],
    sockets: ['hawser:runtime'],
  })
  for (const text of Object.values(modules)) assert.match(text, /export \{/)
})
