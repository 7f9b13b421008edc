import { existsSync, watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { dirname, join, sep } from 'node:path'

/** What is waited for after a change: an editor writes a file in several steps, and a branch switch writes many. */
const QUIET_MS = 30
/** What comes from a registry, and changes only where somebody installs. */
export const PACKAGES: string = `${sep}node_modules${sep}`
/** In a tree, these are nobody's sources: what is installed, what wrangler and Hawser keep, what git keeps. */
const LEFT_OUT: readonly string[] = [PACKAGES, `${sep}.wrangler${sep}`, `${sep}.git${sep}`]

/** The nearest folder above that is there. */
function existingAbove(path: string): string {
  let folder = dirname(path)
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

/** What to watch. All paths are absolute; what does not exist yet is noticed when it comes. */
export interface Watched {
  readonly files: Iterable<string>
  /** Folders of which every file counts, but not what is in folders below. */
  readonly folders?: Iterable<string>
  /** Folders of which everything counts, however deep. A build may take one away and make it anew. */
  readonly trees?: Iterable<string>
}

/**
 * Tells of changes to files. Folders are watched rather than files: an editor that replaces a file would else take the
 * watched one away. Packages are left out, for they change only where somebody installs.
 */
export class SourceWatcher implements Disposable {
  readonly #onChange: (files: readonly string[]) => void
  readonly #watchers = new Map<string, FSWatcher>()
  #files = new Set<string>()
  #folders = new Set<string>()
  #trees: readonly string[] = []
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param onChange called with the absolute paths of what has changed, once things are quiet */
  constructor(onChange: (files: readonly string[]) => void) {
    this.#onChange = onChange
  }

  /** Takes the place of what was watched before. */
  watch({ files, folders = [], trees = [] }: Watched): void {
    this.#files = new Set([...files].filter((file) => !file.includes(PACKAGES)))
    this.#folders = new Set(folders)
    this.#trees = [...trees]
    // What takes a tree away or makes it shows in the folder above.
    const above = this.#trees.map((tree) => existingAbove(tree))
    const wanted = new Set([...[...this.#files].map((file) => dirname(file)), ...this.#folders, ...above])
    const keys = new Map([...wanted].map((folder) => [folder, false]))
    for (const tree of this.#trees) keys.set(tree, true)
    for (const [folder, watcher] of this.#watchers) {
      if (keys.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const [folder, recursive] of keys) this.#open(folder, recursive)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #open(folder: string, recursive: boolean): void {
    if (this.#watchers.has(folder)) return
    try {
      const watcher = watch(folder, { recursive }, (_event, name) => {
        if (name !== null) this.#noticed(join(folder, name))
      })
      watcher.on('error', () => this.#drop(folder))
      this.#watchers.set(folder, watcher)
    } catch {
      // There is no such folder, or no room for more watches: what is there is still watched.
    }
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  #isInTree(file: string): boolean {
    return this.#trees.some(
      (tree) => file.startsWith(`${tree}${sep}`) && !LEFT_OUT.some((part) => file.slice(tree.length).includes(part)),
    )
  }

  /** @returns the trees that came or went with `file` */
  #reopenTrees(file: string): readonly string[] {
    const trees = this.#trees.filter((tree) => tree === file || tree.startsWith(`${file}${sep}`))
    for (const tree of trees) {
      this.#drop(tree)
      this.#open(existingAbove(tree), false)
      this.#open(tree, true)
    }
    return trees.filter((tree) => tree === file || existsSync(tree))
  }

  #noticed(file: string): void {
    const counts = this.#files.has(file) || this.#folders.has(dirname(file)) || this.#isInTree(file)
    const changed = [...this.#reopenTrees(file), ...(counts ? [file] : [])]
    if (changed.length === 0) return
    for (const one of changed) this.#changed.add(one)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const files = [...this.#changed]
      this.#changed.clear()
      this.#onChange(files)
    }, QUIET_MS)
  }
}
