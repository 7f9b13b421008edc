/** The parts of a guide in Markdown that can be run. */

export type Runtime = 'worker' | 'node'

export interface Example {
  readonly runtime: Runtime
  readonly code: string
  /** The block of text that follows it. */
  readonly output: string
  /** Of its first line in the guide. */
  readonly line: number
}

export interface Guide {
  readonly examples: readonly Example[]
  /** Files that the examples need, by name: blocks that give one, and modules. */
  readonly files: ReadonlyMap<string, string>
}

interface Block {
  readonly info: string
  readonly text: string
  readonly line: number
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  for (const match of markdown.matchAll(/^```(.+)\n([^]*?)^```$/gm)) {
    const line = markdown.slice(0, match.index).split('\n').length
    blocks.push({ info: match[1] ?? '', text: match[2] ?? '', line })
  }
  return blocks
}

/**
 * Reads a guide. `js worker` and `js node` begin an example, and the next block must be `text`, its output; `js module <name>` and
 * `jsonc <name>` are files.
 *
 * @throws {Error} for an example without output
 */
export function readGuide(markdown: string): Guide {
  const blocks = blocksOf(markdown)
  const examples: Example[] = []
  const files = new Map<string, string>()
  for (const [index, { info, text, line }] of blocks.entries()) {
    const file = /^(?:js module|jsonc) (\S+)$/.exec(info)?.[1]
    if (file !== undefined) files.set(file, text)
    const runtime = /^js (worker|node)$/.exec(info)?.[1]
    if (runtime === undefined) continue
    const next = blocks[index + 1]
    if (next?.info !== 'text') throw new Error(`the example in line ${line} is not followed by its output`)
    examples.push({ runtime: runtime as Runtime, code: text, output: next.text, line })
  }
  return { examples, files }
}
