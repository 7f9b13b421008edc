import type { Directory } from '@hawser/directory'
import type { MiddlewareHandler } from 'hono'
import { API_ERRORS, ApiRefusal } from './errors.ts'
import type { ApiEnv } from './resource.ts'

/**
 * Lets a request through if it carries an API token of the directory, and remembers whose. Nothing else about a request
 * says who sent it: no other header, no address.
 */
export function authenticate(directory: Directory): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const header = c.req.header('authorization')
    if (header === undefined) throw new ApiRefusal(API_ERRORS.noCredentials)
    const text = /^bearer +(\S+)$/i.exec(header)?.[1]
    const token = text === undefined ? undefined : await directory.apiTokens.verify(text)
    if (token === undefined) throw new ApiRefusal(API_ERRORS.badToken)
    c.set('apiToken', token)
    return next()
  }
}

/** A directory is one account; asking for another is asking for somebody else's. */
export function ownAccountOnly(directory: Directory): MiddlewareHandler<ApiEnv> {
  return (c, next) => {
    if (c.req.param('account_id') !== directory.accountId) throw new ApiRefusal(API_ERRORS.otherAccount)
    return next()
  }
}
