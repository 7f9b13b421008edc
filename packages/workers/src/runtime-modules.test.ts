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
    [...new Set([...text.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, from = '']) => from))].toSorted((a, b) =>
      a.localeCompare(b),
    ),
  ])
  assert.deepEqual(Object.fromEntries(imports), {
    vpcNetwork: ['cloudflare-internal:workers'],
    egress: ['cloudflare-internal:sockets', 'cloudflare-internal:workers'],
    invocations: ['node-internal:async_hooks'],
    runtime: ['cloudflare:workers'],
    exports: ['cloudflare:workers', 'hawser:runtime'],
    scheduled: [],
    sockets: ['hawser:runtime'],
    net: ['hawser:runtime', 'node:buffer', 'node:process', 'node:stream'],
    tls: ['hawser:runtime', 'node:net', 'node:process', 'node:stream'],
  })
  for (const text of Object.values(modules)) assert.match(text, /export \{/)
})
