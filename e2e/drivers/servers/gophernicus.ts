import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bigText } from '../fixtures/values.ts'
import { requireCommand } from '../support/commands.ts'
import { freePort, startProgram } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

const INETD = fileURLToPath(new URL('inetd.ts', import.meta.url))

const SCRIPTS: Readonly<Record<string, string>> = {
  'echo.cgi': 'echo "$QUERY_STRING"',
  'sleep.cgi': 'sleep 600; echo awake',
}

/** It refuses to run as root. */
function unprivileged(): string[] {
  if (process.getuid?.() !== 0) return []
  return [requireCommand('setpriv'), '--reuid=nobody', '--regid=nogroup', '--clear-groups']
}

export const gophernicus: ServerKind = {
  name: 'Gophernicus',
  apt: 'gophernicus',
  command: 'gophernicus',
  async start({ folder }, own) {
    const port = await freePort()
    const root = join(folder, 'root')
    await mkdir(join(root, 'cgi-bin'), { recursive: true })
    await writeFile(join(root, 'big.bin'), bigText())
    await writeFile(join(root, 'empty.bin'), '')
    for (const [name, script] of Object.entries(SCRIPTS)) {
      await writeFile(join(root, 'cgi-bin', name), `#!/bin/sh\n${script}\n`)
      await chmod(join(root, 'cgi-bin', name), 0o755)
    }
    const words = [
      INETD,
      `${port}`,
      ...unprivileged(),
      requireCommand('gophernicus'),
      '-r',
      root,
      '-h',
      'localhost',
      '-p',
      `${port}`,
      '-nv',
      '-nm',
    ]
    const program = await startProgram(own, process.execPath, words, { port, cwd: folder })
    return { program, port }
  },
}
