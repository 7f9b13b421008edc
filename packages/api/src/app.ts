import { HawserError } from '@hawser/core'
import { Hono } from 'hono'
import { getPath } from 'hono/utils/url'
import { accounts } from './accounts/accounts.ts'
import { authenticate, ownAccountOnly } from './authenticate.ts'
import { failure, SAFETY_HEADERS } from './envelope.ts'
import { answerFor, API_ERRORS } from './errors.ts'
import type { ErrorAnswers } from './errors.ts'
import type { ApiContext, ApiEnv, ApiHandler, ApiOptions, ApiResource } from './resource.ts'
import { hostnameRoutes } from './hostname-routes/hostname-routes.ts'
import { routes } from './routes/routes.ts'
import { services } from './services/services.ts'
import { tokens } from './tokens/tokens.ts'
import { tunnels } from './tunnels/tunnels.ts'
import { virtualNetworks } from './virtual-networks/virtual-networks.ts'

/** Where the API begins; clients are given the origin and this path, without a slash at the end. */
export const API_BASE = '/client/v4'

/** The control API: the vendor's v4 API, as far as it is served, on web standard requests and responses. */
export function createApi(options: ApiOptions): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>({ getPath: tolerantPath })
  const answerError = (error: unknown, c: ApiContext, answers: ErrorAnswers): Response => {
    const told = answerFor(error, answers)
    if (told.status >= 500) logFailure(options, error, c)
    return failure(told)
  }
  app.onError((error, c) => answerError(error, c, {}))
  app.notFound(() => failure(API_ERRORS.noRoute))
  app.use(async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(SAFETY_HEADERS)) c.header(name, value)
  })
  app.use(`${API_BASE}/*`, authenticate(options.directory))
  app.use(`${API_BASE}/accounts/:account_id/*`, ownAccountOnly(options.directory))
  for (const make of [tokens, accounts, tunnels, virtualNetworks, routes, hostnameRoutes, services]) {
    const resource = make(options)
    mount(app, resource, (error, c) => answerError(error, c, resource.errors))
  }
  return app
}

function mount(
  app: Hono<ApiEnv>,
  resource: ApiResource,
  answerError: (error: unknown, c: ApiContext) => Response,
): void {
  for (const { path, methods } of resource.routes) {
    for (const [method, handler] of Object.entries(methods)) {
      app.on(method, API_BASE + path, guarded(handler, answerError))
    }
    const allow = Object.keys(methods).join(', ')
    app.all(API_BASE + path, () => failure({ ...API_ERRORS.noMethod, headers: { allow } }))
  }
}

/** The resource's own way to tell errors, before the common one. */
function guarded(handler: ApiHandler, answerError: (error: unknown, c: ApiContext) => Response): ApiHandler {
  return async (c) => {
    try {
      return await handler(c)
    } catch (error) {
      return answerError(error, c)
    }
  }
}

/** Some clients put the base URL and the resource together with one slash too many. */
function tolerantPath(request: Request): string {
  const path = getPath(request).replaceAll(/\/{2,}/g, '/')
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

function logFailure({ logger }: ApiOptions, error: unknown, c: ApiContext): void {
  const code = HawserError.is(error) ? error.code : 'proxy_internal_error'
  const reason = error instanceof Error ? error.message : String(error)
  logger.error('api: a request failed', { method: c.req.method, path: c.req.path, code, reason })
}
