import { connect } from 'cloudflare:sockets'

interface Env {
  REPORTS: Fetcher
  OFFICE: Fetcher
}

/** A binding to a network reaches everything in it, so what a visitor may ask for is listed here. */
const ALLOWED: ReadonlySet<string> = new Set(['wiki.internal:8080'])

function refused(reason: unknown): Response {
  return Response.json({ refused: String(reason) }, { status: 403 })
}

/** A VPC Service: the visitor may name any host, and reaches the registered one. */
function byService(env: Env, url: URL): Promise<Response> {
  return env.REPORTS.fetch(url)
}

async function byNetwork(env: Env, url: URL): Promise<Response> {
  if (!ALLOWED.has(url.host)) return refused(`${url.host} is not for visitors`)
  return env.OFFICE.fetch(url, { redirect: 'manual' }) // an answer must not lead elsewhere
}

/** The platform refuses private, loopback and special addresses: an answer 403 with `error code: 1003`. */
async function byFetch(url: URL): Promise<Response> {
  const answer = await fetch(url, { redirect: 'manual' })
  return new Response(answer.body, { status: answer.status })
}

/** The same for sockets, as an exception; port 25 and the Worker's own address are refused, too. */
async function bySocket(address: string): Promise<Response> {
  const socket = connect(address)
  try {
    await socket.opened
    return new Response('open\n')
  } finally {
    await socket.close().catch(() => {})
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const target = searchParams.get('target') ?? ''
    try {
      if (pathname === '/socket') return await bySocket(target)
      const url = new URL(target)
      if (url.protocol !== 'http:' && url.protocol !== 'https:') return refused('only http: and https:')
      if (pathname === '/service') return await byService(env, url)
      if (pathname === '/network') return await byNetwork(env, url)
      if (pathname === '/fetch') return await byFetch(url)
      return new Response('Use /service, /network, /fetch or /socket\n', { status: 404 })
    } catch (error) {
      return refused(error)
    }
  },
} satisfies ExportedHandler<Env>
