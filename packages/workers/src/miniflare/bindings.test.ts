import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { readWorkerConfig } from '../config.ts'
import { wranglerConfig, writeProject } from '../test-project.ts'
import { answering, startSite } from '../test-site.ts'
import { bindingOptions } from './bindings.ts'

const LIMIT = { timeout: 60_000 }

async function options(t: TestContext, config: Readonly<Record<string, unknown>>) {
  const folder = await writeProject(t, { 'wrangler.json': wranglerConfig(config) })
  const worker = await readWorkerConfig({ configPath: folder, logger: new CapturedLog() })
  const log = new CapturedLog()
  return { folder, result: bindingOptions(worker, log), warnings: log.at('warn').map(({ message }) => message) }
}

test('ids and names of the configuration are those of the local stores', async (t) => {
  const { result, warnings } = await options(t, {
    vars: { A: 'text', B: { deep: [1] } },
    kv_namespaces: [{ binding: 'KV', id: 'kv-id', remote: true }],
    r2_buckets: [{ binding: 'R2', bucket_name: 'bucket' }],
    d1_databases: [{ binding: 'D1', database_name: 'db', database_id: 'id', preview_database_id: 'preview' }],
    queues: {
      producers: [{ binding: 'Q', queue: 'jobs', delivery_delay: 3 }],
      consumers: [{ queue: 'jobs', max_batch_size: 5, max_retries: 2, dead_letter_queue: 'dead' }],
    },
    ratelimits: [{ name: 'LIMIT', namespace_id: '1', simple: { limit: 10, period: 60 } }],
    analytics_engine_datasets: [{ binding: 'AE' }],
    version_metadata: { binding: 'VERSION' },
  })
  assert.deepEqual(warnings, [])
  assert.deepEqual(result.bindings, { A: 'text', B: { deep: [1] } })
  assert.deepEqual(result.kvNamespaces, { KV: 'kv-id' })
  assert.deepEqual(result.r2Buckets, { R2: 'bucket' })
  assert.deepEqual(result.d1Databases, { D1: 'preview' })
  assert.deepEqual(result.queueProducers, { Q: { queueName: 'jobs', deliveryDelay: 3 } })
  assert.deepEqual(result.queueConsumers, {
    jobs: {
      maxBatchSize: 5,
      maxBatchTimeout: undefined,
      maxRetries: 2,
      deadLetterQueue: 'dead',
      retryDelay: undefined,
    },
  })
  assert.deepEqual(result.ratelimits, { LIMIT: { namespace_id: '1', simple: { limit: 10, period: 60 } } })
  assert.deepEqual(result.analyticsEngineDatasets, { AE: { dataset: 'dataset' } })
  assert.equal(result.versionMetadata, 'VERSION')
})

test('Durable Objects, services and workflows of the Worker itself are bound, those of others are not', async (t) => {
  const { result, warnings } = await options(t, {
    durable_objects: {
      bindings: [
        { name: 'ROOM', class_name: 'Room' },
        { name: 'FAR', class_name: 'Far', script_name: 'elsewhere' },
      ],
    },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['Room'], new_classes: ['Unbound'] }],
    services: [
      { binding: 'SELF', service: 'test-worker', entrypoint: 'Api' },
      { binding: 'OTHER', service: 'elsewhere' },
    ],
    workflows: [{ name: 'flow', binding: 'FLOW', class_name: 'Flow' }],
  })
  assert.deepEqual(result.durableObjects, { ROOM: { className: 'Room', useSQLite: true } })
  assert.deepEqual(result.additionalUnboundDurableObjects, [{ className: 'Unbound', useSQLite: false }])
  assert.deepEqual(result.serviceBindings, { SELF: { name: 'test-worker', entrypoint: 'Api', props: undefined } })
  assert.deepEqual(result.workflows, { FLOW: { name: 'flow', className: 'Flow' } })
  assert.equal(warnings.length, 2)
  assert.match(warnings.join('\n'), /durable_objects: "FAR" belongs to the Worker "elsewhere"/)
  assert.match(warnings.join('\n'), /services: "OTHER" belongs to the Worker "elsewhere"/)
})

test('a Hyperdrive without a local database is left out, with one from the environment it is not', async (t) => {
  const config = { hyperdrive: [{ binding: 'DB', id: 'x' }] }
  const without = await options(t, config)
  assert.deepEqual(without.result.hyperdrives, {})
  assert.match(without.warnings[0] ?? '', /hyperdrive: "DB" has no localConnectionString/)

  const variable = 'CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_DB'
  process.env[variable] = 'postgres://u:p@127.0.0.1:5432/db'
  t.after(() => Reflect.deleteProperty(process.env, variable))
  assert.deepEqual((await options(t, config)).result.hyperdrives, { DB: 'postgres://u:p@127.0.0.1:5432/db' })
})

test('assets say what goes to the Worker first', async (t) => {
  const { result, folder } = await options(t, {
    assets: {
      directory: './public',
      binding: 'ASSETS',
      run_worker_first: ['/api/*', '!/api/docs'],
      not_found_handling: '404-page',
    },
  })
  assert.equal(result.assets?.directory, join(folder, 'public'))
  assert.deepEqual(result.assets?.routerConfig?.static_routing, {
    user_worker: ['/api/*'],
    asset_worker: ['/api/docs'],
  })
  assert.equal(result.assets?.assetConfig?.not_found_handling, '404-page')
  assert.equal((await options(t, {})).result.assets, undefined)
})

test('a folder of assets that is not there is named, and the rest stays', async (t) => {
  const { result, folder, warnings } = await options(t, { assets: { directory: './dist', binding: 'ASSETS' } })
  assert.deepEqual(warnings, [`assets: there is no folder ${join(folder, 'dist')}: no file is served from it`])
  assert.equal(result.assets?.binding, 'ASSETS')
  assert.deepEqual((await options(t, { assets: { directory: '.', binding: 'ASSETS' } })).warnings, [])
})

test('blobs are read from the folder of the configuration', async (t) => {
  const { result, folder } = await options(t, { text_blobs: { T: './t.txt' }, data_blobs: { D: 'sub/d.bin' } })
  assert.deepEqual(result.textBlobBindings, { T: join(folder, 't.txt') })
  assert.deepEqual(result.dataBlobBindings, { D: join(folder, 'sub', 'd.bin') })
})

test('what cannot be provided is named, each key once, and the rest stays', async (t) => {
  const { result, warnings } = await options(t, {
    ai: { binding: 'AI' },
    browser: { binding: 'BROWSER' },
    vectorize: [{ binding: 'V', index_name: 'i' }],
    dispatch_namespaces: [{ binding: 'D', namespace: 'n' }],
    tail_consumers: [{ service: 's' }],
    vars: { A: '1' },
  })
  const keys = warnings.map(
    (warning) => /^"(\w+)" (?:is not supported yet|runs at Cloudflare alone)/.exec(warning)?.[1] ?? warning,
  )
  assert.deepEqual(keys.toSorted(), ['ai', 'browser', 'dispatch_namespaces', 'tail_consumers', 'vectorize'])
  assert.deepEqual(result.bindings, { A: '1' })
})

test('what Miniflare simulates besides is handed on', async (t) => {
  const { result, warnings, folder } = await options(t, {
    secrets_store_secrets: [{ binding: 'KEY', store_id: 's', secret_name: 'n' }],
    pipelines: [{ binding: 'P', stream: 'st' }],
    images: { binding: 'IMG' },
    site: { bucket: './site' },
  })
  assert.deepEqual(warnings, [])
  assert.deepEqual(result.secretsStoreSecrets, { KEY: { store_id: 's', secret_name: 'n' } })
  assert.deepEqual(result.pipelines, { P: 'st' })
  assert.deepEqual(result.images, { binding: 'IMG' })
  assert.equal('sitePath' in result ? result.sitePath : '', join(folder, 'site'))
})

test('the simulated bindings work inside a Worker', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    await env.KV.put('k', 'v')
    await env.R2.put('o', 'object')
    await env.D1.exec('CREATE TABLE t (n INTEGER)')
    await env.D1.prepare('INSERT INTO t VALUES (?)').bind(7).run()
    const object = env.ROOM.get(env.ROOM.idFromName('a'))
    await object.add()
    return {
      vars: [env.TEXT, env.JSON.a, env.SECRET],
      kv: await env.KV.get('k'),
      r2: await (await env.R2.get('o')).text(),
      d1: await env.D1.prepare('SELECT n FROM t').first('n'),
      room: await object.add(),
      self: await (await env.SELF.fetch('http://self/named')).text(),
      asset: await (await env.ASSETS.fetch('http://assets/note.txt')).text(),
      version: typeof env.VERSION.id,
      limit: (await env.LIMIT.limit({ key: 'a' })).success,
      text, wasm: wasm instanceof WebAssembly.Module, cf: request.cf.colo.length,
    }`,
    `import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'
     import text from './message.txt'
     import wasm from './empty.wasm'
     export class Api extends WorkerEntrypoint { fetch() { return new Response('from Api') } }
     export class Room extends DurableObject {
       async add() { const n = ((await this.ctx.storage.get('n')) ?? 0) + 1; await this.ctx.storage.put('n', n); return n }
     }`,
  )
  const config = {
    vars: { TEXT: 't', JSON: { a: 1 } },
    kv_namespaces: [{ binding: 'KV', id: 'a' }],
    r2_buckets: [{ binding: 'R2', bucket_name: 'bucket' }],
    d1_databases: [{ binding: 'D1', database_name: 'c', database_id: 'c' }],
    durable_objects: { bindings: [{ name: 'ROOM', class_name: 'Room' }] },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['Room'] }],
    services: [{ binding: 'SELF', service: 'test-worker', entrypoint: 'Api' }],
    assets: { directory: './public', binding: 'ASSETS', run_worker_first: true },
    version_metadata: { binding: 'VERSION' },
    ratelimits: [{ name: 'LIMIT', namespace_id: '1', simple: { limit: 10, period: 60 } }],
  }
  const files = {
    '.dev.vars': 'SECRET=s',
    'message.txt': 'a message',
    'empty.wasm': new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    'public/note.txt': 'an asset',
  }
  await using site = await startSite(t, { source, config, files })
  assert.deepEqual(await site.json(), {
    vars: ['t', 1, 's'],
    kv: 'v',
    r2: 'object',
    d1: 7,
    room: 2,
    self: 'from Api',
    asset: 'an asset',
    version: 'string',
    limit: true,
    text: 'a message',
    wasm: true,
    cf: 3,
  })
})

test('queues deliver to the Worker itself', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = `
    export default {
      async fetch(request, env) {
        if (request.url.endsWith('/send')) await env.Q.send({ n: 1 })
        return new Response(await env.KV.get('seen'))
      },
      async queue(batch, env) { for (const { body } of batch.messages) { await env.KV.put('seen', String(body.n)); console.log('delivered') } },
    }`
  const config = {
    kv_namespaces: [{ binding: 'KV', id: 'a' }],
    queues: { producers: [{ binding: 'Q', queue: 'jobs' }], consumers: [{ queue: 'jobs', max_batch_timeout: 0 }] },
  }
  await using site = await startSite(t, { source, config })
  await (await site.worker.fetch('/send')).text()
  while (!site.log.lines.some(({ message }) => message === 'delivered')) await new Promise(setImmediate)
  assert.equal(await (await site.worker.fetch('/')).text(), '1')
})

test('of containers it is said what runs and what does not', async (t) => {
  const { warnings } = await options(t, { containers: [{ class_name: 'Box', image: 'docker.io/httpd:1' }] })
  assert.deepEqual(warnings, [
    '"containers" are not started here: the Durable Objects that they belong to run, the containers themselves do not, and ctx.container is undefined',
  ])
})

test('a cron trigger can be run by hand, as in wrangler', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = `
    export default {
      fetch: () => new Response('fetched'),
      scheduled(event) { console.log('ran ' + event.cron) },
    }`
  await using site = await startSite(t, { source, config: { triggers: { crons: ['0 * * * *'] } } })
  const path = `/cdn-cgi/handler/scheduled?cron=${encodeURIComponent('0 * * * *')}`
  assert.equal(await (await site.worker.fetch(path)).text(), 'ok')
  while (!site.log.lines.some(({ message }) => message === 'ran 0 * * * *')) await new Promise(setImmediate)
})
