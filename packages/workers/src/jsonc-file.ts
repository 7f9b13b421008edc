import { relative } from 'node:path'
import { HawserError } from '@hawser/core'
import { findNodeAtLocation, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Node, ParseError } from 'jsonc-parser'

/** Where a value stands in a document: keys and indexes from the top. */
export type JsonPath = readonly (string | number)[]

/** As one would write it in JavaScript: `tls[0].match`. */
export function formatPath(path: JsonPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? part : `${text}.${part}`
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

/** A JSON file with comments, whose values know where they stand. */
export class JsoncFile {
  /** Absolute. */
  readonly path: string
  readonly #text: string
  readonly #tree: Node

  /**
   * Trailing commas are allowed, as in wrangler's own files.
   *
   * @throws {HawserError} `config_invalid` with the place, unless `text` is one object
   */
  constructor(path: string, text: string) {
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
    this.path = path
    this.#text = text
    this.#tree = tree
  }

  /** The whole of it. */
  get value(): unknown {
    return toValue(this.#tree)
  }

  /** What stands at `path`, as JSON, or the word `nothing`. */
  show(path: JsonPath): string {
    const node = findNodeAtLocation(this.#tree, [...path])
    return node === undefined ? 'nothing' : JSON.stringify(toValue(node))
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
