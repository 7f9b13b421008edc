import type { Logger } from '@hawser/core'
import type { Config } from '@cloudflare/workers-utils'

/** How workerd takes a module, in Miniflare's spelling. */
export type ModuleType = 'ESModule' | 'CommonJS' | 'CompiledWasm' | 'Data' | 'Text'

/** Files that match become modules of that type instead of being bundled. */
export interface ModuleRule {
  readonly type: ModuleType
  readonly globs: readonly string[]
}

export interface ModuleRules {
  /** In the order in which they are tried. */
  readonly active: readonly ModuleRule[]
  /** Shadowed by an earlier rule of the same type; an import that only these match is an error. */
  readonly shadowed: readonly ModuleRule[]
}

type ConfigRule = Config['rules'][number]

const DEFAULT_RULES: readonly ConfigRule[] = [
  { type: 'Text', globs: ['**/*.txt', '**/*.html', '**/*.sql'] },
  { type: 'Data', globs: ['**/*.bin'] },
  { type: 'CompiledWasm', globs: ['**/*.wasm', '**/*.wasm?module'] },
]

const MODULE_TYPES: readonly string[] = ['ESModule', 'CommonJS', 'CompiledWasm', 'Data', 'Text']

function isModuleRule(rule: ConfigRule): rule is ConfigRule & { type: ModuleType } {
  return MODULE_TYPES.includes(rule.type)
}

/**
 * wrangler's `rules` over its defaults. A rule without `fallthrough: true` hides later ones of its type, defaults included;
 * unless it says `fallthrough: false`, that is worth a warning.
 */
export function moduleRules(configured: readonly ConfigRule[], logger: Logger): ModuleRules {
  const active: ModuleRule[] = []
  const shadowed: ModuleRule[] = []
  const closing = new Map<ModuleType, ConfigRule>()
  for (const rule of [...configured, ...DEFAULT_RULES]) {
    if (!isModuleRule(rule)) {
      logger.warn(`rules: ${rule.type} modules are not supported and are left out`)
      continue
    }
    const hiddenBy = closing.get(rule.type)
    if (hiddenBy === undefined) {
      active.push(rule)
      if (rule.fallthrough !== true) closing.set(rule.type, rule)
      continue
    }
    shadowed.push(rule)
    if (hiddenBy.fallthrough === undefined) {
      logger.warn(
        `rules: ${JSON.stringify(hiddenBy)} hides ${JSON.stringify(rule)}; add "fallthrough": true to use both, or false to silence this`,
      )
    }
  }
  return { active, shadowed }
}

const SPECIAL = /[.+^${}()|[\]\\/?]/

/**
 * A glob as a regular expression. `*` matches within a path segment and `**` any number of segments, when `segments` is
 * given; without it both match anything, as wrangler has it for what stands in an import.
 */
export function globToRegExp(glob: string, segments?: 'segments'): RegExp {
  let source = ''
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob[at] ?? ''
    if (char !== '*') {
      source += SPECIAL.test(char) ? `\\${char}` : char
      continue
    }
    let end = at
    while (glob[end + 1] === '*') end += 1
    if (segments === undefined) {
      source += '.*'
    } else if (end > at) {
      const slash = glob[end + 1] === '/'
      source += slash ? '(?:[^/]*/)*' : '.*'
      if (slash) end += 1
    } else {
      source += '[^/]*'
    }
    at = end
  }
  return new RegExp(`^${source}$`)
}
