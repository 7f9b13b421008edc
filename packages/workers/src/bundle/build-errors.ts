import { builtinModules } from 'node:module'
import { HawserError } from '@hawser/core'
import { formatMessages } from 'esbuild'
import type { BuildFailure, Message } from 'esbuild'
import type { NodeCompat } from './node-compat.ts'

const UNRESOLVED = /^Could not resolve "(?:node:)?([^"]+)"/

/** By shape: esbuild throws plain Errors with two lists on them. */
function isBuildFailure(error: unknown): error is BuildFailure {
  return typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors)
}

/** esbuild would suggest `platform: "node"`, which no Worker can use. */
function withAdvice(message: Message, mode: NodeCompat): Message {
  const [, name] = UNRESOLVED.exec(message.text) ?? []
  if (name === undefined || !builtinModules.includes(name)) return message
  const advice =
    mode === 'v1'
      ? `"${name}" is built into Node.js: import it as "node:${name}", or set "compatibility_date" to 2024-09-23 or later.`
      : `"${name}" is built into Node.js: add "nodejs_compat" to "compatibility_flags".`
  return { ...message, notes: [{ text: advice, location: null }] }
}

/** esbuild's own layout, with source positions and excerpts. */
export async function formatBuildMessages(
  messages: readonly Message[],
  kind: 'error' | 'warning',
  mode: NodeCompat,
): Promise<string> {
  const advised = messages.map((message) => withAdvice(message, mode))
  return (await formatMessages(advised, { kind, color: false, terminalWidth: 120 })).join('').trimEnd()
}

/** `bundle_failed` with esbuild's text, for what esbuild threw. */
export async function bundleFailed(error: unknown, mode: NodeCompat): Promise<HawserError> {
  if (!isBuildFailure(error)) return HawserError.from(error, 'bundle_failed')
  return new HawserError('bundle_failed', await formatBuildMessages(error.errors, 'error', mode), { cause: error })
}
