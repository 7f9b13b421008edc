import { relative } from 'node:path'
import { HawserError } from '@hawser/core'
import { findNodeAtLocation, parseTree } from 'jsonc-parser'
import type { Node, ParseError } from 'jsonc-parser'
import { syntaxProblem } from './jsonc-syntax.ts'
import { MASK, toShown } from './shown-value.ts'

/** Where a value stands in a document: keys and indexes from the top. */
export type JsonPath = readonly (string | number)[]

/** As one would write it in JavaScript: `tls[0].match`, `hosts['10.0.1.50']`. */
export function formatPath(path: JsonPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    if (text === '') return part
    return /^[\w$]+$/.test(part) ? `${text}.${part}` : `${text}['${part}']`
  }, '')
}

/** `file:line:column`, both counted from one, as editors and terminals link them. */
function position(file: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `${relative('', file)}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}

/** The plain value under a node of the syntax tree. */
function toValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(toValue)
  if (node.type !== 'object') return node.value as unknown
  const properties = (node.children ?? []).map(({ children: [key, value] = [] }) => [
    String(key?.value),
    value === undefined ? undefined : toValue(value),
  ])
  return Object.fromEntries(properties) as unknown
}

/** The first key that stands twice in one object: which of them counts is nothing to guess at. */
function findRepeated(node: Node): Node | undefined {
  const seen = new Set<unknown>()
  for (const child of node.children ?? []) {
    const key = node.type === 'object' ? child.children?.[0] : undefined
    if (key !== undefined && seen.has(key.value)) return key
    seen.add(key?.value)
    const inner = findRepeated(child)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** A JSON file with comments, whose values know where they stand. */
export class JsoncFile {
  /** Absolute. */
  readonly path: string
  readonly #text: string
  readonly #tree: Node

  /**
   * Trailing commas are allowed, as in wrangler's own files.
   *
   * @throws {HawserError} `config_invalid` with the place, unless `text` is one object that has no key twice
   */
  constructor(path: string, text: string) {
    const errors: ParseError[] = []
    const tree = parseTree(text, errors, { allowTrailingComma: true })
    const [first] = errors
    if (first !== undefined) {
      throw new HawserError('config_invalid', `${position(path, text, first.offset)}: ${syntaxProblem(text, first)}`)
    }
    if (tree?.type !== 'object') {
      const got = tree === undefined ? 'nothing' : toShown(toValue(tree))
      const place = position(path, text, tree?.offset ?? 0)
      throw new HawserError('config_invalid', `${place}: expected an object, { … }, got ${got}`)
    }
    const repeated = findRepeated(tree)
    if (repeated !== undefined) {
      const place = position(path, text, repeated.offset)
      throw new HawserError('config_invalid', `${place}: expected each key once, got "${String(repeated.value)}" again`)
    }
    this.path = path
    this.#text = text
    this.#tree = tree
  }

  /** The whole of it. */
  get value(): unknown {
    return toValue(this.#tree)
  }

  /** What stands at `path`, as JSON with an end to it, or the word `nothing`; `[secret]` in place of tokens. */
  show(path: JsonPath): string {
    const node = findNodeAtLocation(this.#tree, [...path])
    if (node === undefined) return 'nothing'
    return path.at(-1) === 'token' ? MASK : toShown(toValue(node))
  }

  /** `file:line:column` of the value at `path`, or of the nearest around it that is there. */
  locate(path: JsonPath): string {
    let at = [...path]
    let node = findNodeAtLocation(this.#tree, at)
    while (node === undefined && at.length > 0) {
      at = at.slice(0, -1)
      node = findNodeAtLocation(this.#tree, at)
    }
    return position(this.path, this.#text, (node ?? this.#tree).offset)
  }

  /** The same of a key, for keys that should not be there. */
  locateKey(path: JsonPath, key: string): string {
    const object = path.length === 0 ? this.#tree : findNodeAtLocation(this.#tree, [...path])
    const property = object?.children?.find((child) => child.children?.[0]?.value === key)
    return property === undefined ? this.locate(path) : position(this.path, this.#text, property.offset)
  }
}
