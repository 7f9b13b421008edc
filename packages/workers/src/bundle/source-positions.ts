import { SourceMap } from 'node:module'
import type { SourceMapPayload } from 'node:module'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Rewrites positions in a stack trace of the bundle into positions in the sources. */
export type MapStack = (stack: string) => string

/** A line about Hawser's own modules, which stand between workerd and the Worker and are nobody's source. */
const OWN_FRAME = /\n *at (?:[^\n]*\()?hawser:[a-z-]+:\d+:\d+\)?(?=\n|$)/g
/** `file:line:column`, the file as a URL or as a name. */
const FRAME = /(file:\/\/[^\s:()]+|[^\s:()]+):(\d+):(\d+)/g

/**
 * Leaves out the frames of Hawser's own modules.
 *
 * @param bundleFile absolute path under which workerd knows the bundle
 * @param json esbuild's source map; its sources are relative to the folder of the bundle
 */
export function stackMapper(bundleFile: string, folder: string, json: string): MapStack {
  let map: SourceMap | undefined // parsed at the first error, if there ever is one
  return (stack) =>
    stack.replaceAll(OWN_FRAME, '').replaceAll(FRAME, (frame: string, file: string, line: string, column: string) => {
      const path = file.startsWith('file://') ? fileURLToPath(file) : file
      // While a Worker is loaded, workerd calls its modules by name only.
      if (path !== bundleFile && path !== basename(bundleFile)) return frame
      map ??= new SourceMap(JSON.parse(json) as SourceMapPayload)
      const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
      if (!('originalSource' in entry)) return frame
      return `${resolve(folder, entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
    })
}
