import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'
import { findNodeAtLocation, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Node, ParseError } from 'jsonc-parser'
import type { core } from 'zod'

/** What an optional `hawser.jsonc` beside the wrangler file may say. */
export interface HawserConfig {
  /** Name of the `vpc_networks` binding that the Worker's global `connect()` goes through. */
  readonly egress?: string | undefined
}

/** The file, and where each of its values stands, for messages found only later. */
export interface HawserFile {
  readonly config: HawserConfig
  /** Undefined where there is no file. */
  readonly path: string | undefined
  /** `file:line:column` of the value under `key`. */
  locate(key: keyof HawserConfig): string
}

const FILE_NAME = 'hawser.jsonc'

/** `file:line:column`, both counted from one, as editors and terminals link them. */
function position(path: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `${relative('', path)}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}

/** `trailing commas` are allowed, as in wrangler's own files. */
function parse(path: string, text: string): Node {
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first !== undefined) {
    throw new HawserError(
      'config_invalid',
      `${position(path, text, first.offset)}: ${printParseErrorCode(first.error)}`,
    )
  }
  if (tree?.type !== 'object') {
    throw new HawserError('config_invalid', `${position(path, text, tree?.offset ?? 0)}: expected an object, { … }`)
  }
  return tree
}

/** The plain value under a node of the syntax tree, whose places the messages need. */
function toValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(toValue)
  if (node.type !== 'object') return node.value as unknown
  const properties = (node.children ?? []).map(({ children: [key, value] = [] }) => [
    String(key?.value),
    value === undefined ? undefined : toValue(value),
  ])
  return Object.fromEntries(properties) as unknown
}

/** Where the key itself stands, for keys that should not be there. */
function keyOffset(tree: Node, key: string): number {
  const property = tree.children?.find((child) => child.children?.[0]?.value === key)
  return property?.offset ?? tree.offset
}

const ALLOWED_KEYS = ['egress'] as const satisfies readonly (keyof HawserConfig)[]

/** zod takes tens of milliseconds to load, and most Workers have no such file. */
async function validate(value: unknown): Promise<{ config: HawserConfig } | { issues: readonly core.$ZodIssue[] }> {
  const { z } = await import('zod')
  const schema = z.strictObject({ $schema: z.string().optional(), egress: z.string().min(1).optional() })
  const result = schema.safeParse(value)
  return result.success ? { config: { egress: result.data.egress } } : { issues: result.error.issues }
}

/** One line for each problem, each with its place in the file. */
function describe(issue: core.$ZodIssue, path: string, text: string, tree: Node): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) =>
        `${position(path, text, keyOffset(tree, key))}: unknown key "${key}"; allowed: ${ALLOWED_KEYS.join(', ')}`,
    )
  }
  const at = issue.path.filter((part) => typeof part !== 'symbol')
  const node = findNodeAtLocation(tree, at)
  const got = node === undefined ? 'nothing' : JSON.stringify(toValue(node))
  const expected = issue.code === 'too_small' ? 'a string that is not empty' : 'a string'
  return [`${position(path, text, node?.offset ?? tree.offset)}: "${at.join('.')}" must be ${expected}, got ${got}`]
}

/**
 * Reads `hawser.jsonc` beside the wrangler file.
 *
 * @throws {HawserError} `config_invalid`, one line for each problem: `file:line:column: what is wrong`
 */
export async function readHawserFile(wranglerPath: string): Promise<HawserFile> {
  const path = join(dirname(wranglerPath), FILE_NAME)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { config: {}, path: undefined, locate: () => path }
    throw HawserError.from(error, 'config_invalid')
  }
  const tree = parse(path, text)
  const result = await validate(toValue(tree))
  if ('issues' in result) {
    const lines = result.issues.flatMap((issue) => describe(issue, path, text, tree))
    throw new HawserError('config_invalid', lines.join('\n'))
  }
  const locate = (key: keyof HawserConfig): string =>
    position(path, text, findNodeAtLocation(tree, [key])?.offset ?? tree.offset)
  return { config: result.config, path, locate }
}
