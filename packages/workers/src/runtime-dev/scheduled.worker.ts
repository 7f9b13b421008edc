/** `hawser:scheduled`: runs a cron trigger by hand, at the path that wrangler's flag `--test-scheduled` opens. */

const PATH = '/__scheduled'

type Fetch = (this: unknown, request: Request, env: unknown, ctx: unknown) => unknown
type Scheduled = (controller: unknown, env: unknown, ctx: unknown) => unknown

interface Handlers {
  readonly fetch?: Fetch
  readonly scheduled?: Scheduled
}

/** As the runtime's own controller, of which there is none outside a real trigger. */
function controllerOf(url: URL): object {
  const time = Number(url.searchParams.get('time') ?? Date.now())
  return { cron: url.searchParams.get('cron') ?? '', scheduledTime: time, type: 'scheduled', noRetry: () => {} }
}

/** Undefined for a request that is the Worker's own. */
async function answer(self: Handlers, request: Request, env: unknown, ctx: unknown): Promise<Response | undefined> {
  const url = new URL(request.url)
  if (url.pathname !== PATH) return undefined
  if (typeof self.scheduled !== 'function') {
    return new Response('The Worker has no scheduled() handler\n', { status: 404 })
  }
  await self.scheduled(controllerOf(url), env, ctx)
  return new Response('Ran scheduled event')
}

function wrapFetch(next: Fetch | undefined): Fetch {
  return async function (this: unknown, request, env, ctx) {
    const answered = await answer(this as Handlers, request, env, ctx)
    if (answered !== undefined) return answered
    if (next === undefined) throw new TypeError('Handler does not export a fetch() function.')
    return Reflect.apply(next, this, [request, env, ctx])
  }
}

/** The default export of a Worker, with the path in front. Classes get it too: their `scheduled()` takes the controller. */
export function answerScheduled(value: unknown): unknown {
  if (typeof value === 'function') {
    const { prototype } = value as { prototype?: Handlers }
    if (prototype === undefined || typeof prototype.scheduled !== 'function') return value
    Object.defineProperty(prototype, 'fetch', { value: wrapFetch(prototype.fetch), configurable: true, writable: true })
    return value
  }
  if (typeof value !== 'object' || value === null) return value
  const handlers = value as Handlers
  return Object.create(handlers, {
    fetch: { value: wrapFetch(handlers.fetch), configurable: true, writable: true },
  }) as unknown
}
