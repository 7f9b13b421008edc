import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian keeps servers in folders that are not on everybody's PATH. */
const MORE = ['/usr/sbin', '/sbin', '/usr/lib/openssh']

/** The absolute path of a command; undefined where the machine has none. */
export function findCommand(name: string, more: readonly string[] = []): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE, ...more]
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** A server that the machine does not have and could not get. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** @throws {Unavailable} naming the command */
export function requireCommand(name: string, more: readonly string[] = []): string {
  const path = findCommand(name, more)
  if (path === undefined) throw new Unavailable(`${name} is not installed and could not be installed`)
  return path
}
