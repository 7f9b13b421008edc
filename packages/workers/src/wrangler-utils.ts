import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type * as utils from '@cloudflare/workers-utils'

/** What the package exports. */
export type WranglerUtils = typeof utils

const require = createRequire(import.meta.url)
let loaded: WranglerUtils | undefined

/**
 * wrangler's own reader and validator of configuration files.
 *
 * The published build is an ES module that calls `require()`, which does not exist there; it looks for a global one while
 * it loads. So one is lent to it, and because `require()` of an ES module is synchronous, nothing else can see it.
 */
export function wranglerUtils(): WranglerUtils {
  if (loaded !== undefined) return loaded
  const file = fileURLToPath(import.meta.resolve('@cloudflare/workers-utils'))
  const before = Object.getOwnPropertyDescriptor(globalThis, 'require')
  Object.defineProperty(globalThis, 'require', { value: require, configurable: true, writable: true })
  try {
    loaded = require(file) as WranglerUtils
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'require')
    else Object.defineProperty(globalThis, 'require', before)
  }
  return loaded
}
