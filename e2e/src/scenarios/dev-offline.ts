/** Runs inside a network namespace without a way out, and prints as one JSON object what a Worker under `hawser dev` saw. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DevSite } from '../support/dev-site.ts'
import { httpTarget } from '../support/targets.ts'

const WRANGLER = `
name = "offline"
main = "index.js"
compatibility_date = "2026-06-01"

[[vpc_networks]]
binding = "OFFICE"
tunnel_id = "550e8400-e29b-41d4-a716-446655440000"

[[vpc_services]]
binding = "SHOP"
service_id = "0190f6a4-8d7a-7000-8000-5f1c2e9b7a10"

[triggers]
crons = ["* * * * *"]
`

const WORKER = `
import { connect } from 'cloudflare:sockets'

const CALLS = {
  '/private': (target, env) => env.OFFICE.fetch(target),
  '/service': (target, env) => env.SHOP.fetch(target),
  '/public': (target) => fetch(target),
  '/connect': async (target) => {
    const opened = await connect(target).opened.then(() => 'opened', String)
    return new Response(opened)
  },
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url)
    const call = CALLS[pathname]
    return call === undefined ? new Response('version 1') : call(searchParams.get('target'), env)
  },
  async scheduled() {},
}
`

await using server = await httpTarget((request, response) => {
  const host = request.headers.host?.split(':')[0]
  response.end(`${host} ${request.url}`)
})
const services = { SHOP: { host: '127.0.0.1', httpPort: server.port } }
await using site = await DevSite.open({ 'wrangler.toml': WRANGLER, 'index.js': WORKER }, { hawser: { services } })

async function call(path: string, target: string): Promise<Response> {
  return site.fetch(`${path}?target=${encodeURIComponent(target)}`)
}

const seen: Record<string, unknown> = {
  private: await (await call('/private', `http://stock.internal:${server.port}/rows`)).text(),
  service: await (await call('/service', 'http://anything.example/item')).text(),
  publicStatus: (await call('/public', 'http://public.example/')).status,
  publicConnect: await (await call('/connect', 'public.example:5432')).text(),
  cron: await (await site.fetch('/cdn-cgi/handler/scheduled?cron=*+*+*+*+*')).text(),
}
const source = join(site.folder, 'index.js')
await writeFile(source, (await readFile(source, 'utf8')).replace('version 1', 'version 2'))
await site.saw(/"event":"reload"/)
seen['reloaded'] = await (await site.fetch('/')).text()
process.stdout.write(`RESULT ${JSON.stringify(seen)}\n`)
