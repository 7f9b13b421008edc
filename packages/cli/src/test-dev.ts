import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { DevEvent } from './dev/events.ts'
import { LAUNCHER, TestProcess } from './test-process.ts'

/** A Worker's files in a folder of their own, gone after the test. Objects are written as JSON. */
export async function devProject(t: TestContext, files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-dev-test-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

/** `hawser dev --json` over a project, as a process of its own, and what it said. */
export class DevProcess implements AsyncDisposable {
  readonly process: TestProcess
  readonly folder: string

  constructor(folder: string, flags: readonly string[] = []) {
    this.folder = folder
    // A folder of its own for temporary files: what is left in it has been left behind.
    const env = { TMPDIR: join(folder, '.tmp'), HAWSER_LOG_LEVEL: 'warn' }
    this.process = new TestProcess(LAUNCHER, ['dev', '--port', '0', '--json', ...flags], { cwd: folder, env })
  }

  static async start(folder: string, flags: readonly string[] = []): Promise<DevProcess> {
    await mkdir(join(folder, '.tmp'), { recursive: true })
    return new DevProcess(folder, flags)
  }

  get events(): readonly DevEvent[] {
    const lines = this.process.stdout.split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as DevEvent)
  }

  /** All of one kind so far. */
  all<Kind extends DevEvent['event']>(kind: Kind): readonly Extract<DevEvent, { event: Kind }>[] {
    return this.events.filter((event): event is Extract<DevEvent, { event: Kind }> => event.event === kind)
  }

  /** Waits until there are `count` of one kind, and gives the last of these. */
  async saw<Kind extends DevEvent['event']>(kind: Kind, count = 1): Promise<Extract<DevEvent, { event: Kind }>> {
    await this.process.says(new RegExp(`(?:^\\{"event":"${kind}".*\\n[^]*?){${count}}`, 'm'))
    const found = this.all(kind)[count - 1]
    if (found === undefined) throw new Error(`no ${kind} among ${this.process.stdout}`)
    return found
  }

  /** The address, once it is ready. */
  async url(): Promise<string> {
    return (await this.saw('ready')).url
  }

  async text(path = '/'): Promise<string> {
    const response = await fetch(`${await this.url()}${path}`, { headers: { connection: 'close' } })
    return response.text()
  }

  /** Replaces the first `from` in a file by `to`. */
  async edit(name: string, from: string, to: string): Promise<void> {
    const file = join(this.folder, name)
    const text = await readFile(file, 'utf8')
    if (!text.includes(from)) throw new Error(`${name} has no ${from}`)
    await writeFile(file, text.replace(from, to))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
  }
}
