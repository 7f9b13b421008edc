import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where servers live that a user's PATH often leaves out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Absolute path of the first of `names` that can be run, or undefined. */
export function findCommand(...names: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS]
  for (const name of names) {
    for (const folder of folders) {
      const file = join(folder, name)
      try {
        accessSync(file, constants.X_OK)
        return file
      } catch {
        // not here: look on
      }
    }
  }
  return undefined
}

/** Absolute path of a command that is known to be there. @throws {Error} naming what was looked for */
export function requireCommand(...names: readonly string[]): string {
  const found = findCommand(...names)
  if (found === undefined) throw new Error(`${names.join(' or ')} is not on PATH`)
  return found
}
