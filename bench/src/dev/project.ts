import { cp, mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REPOSITORY = new URL('../../../', import.meta.url)

/** The whole of the smallest Worker. */
const CONFIGURATION = { name: 'bench', main: 'src/index.ts', compatibility_date: '2026-06-01' }

/** What a project answers at {@link REVISION_PATH}, so that the first answer of each version can be told. */
export type Revision = `revision ${number}`

export const REVISION_PATH = '/bench-revision'

/** A Worker project in a folder of its own, as a developer has it. */
export interface Project {
  readonly folder: string
  /** Saves the main module anew: it differs from the last version in what it answers. */
  save(revision: Revision): Promise<void>
}

function smallest(revision: Revision): string {
  return `export default { fetch(): Response { return new Response('${revision}') } }\n`
}

/** In front of the example's own main module, all of which is bundled and run: only its services are not needed. */
function inFront(revision: Revision): string {
  return `import project from './project.ts'
export * from './project.ts'
export default {
  ...project,
  fetch(request: Request, ...rest: unknown[]) {
    if (new URL(request.url).pathname === '${REVISION_PATH}') return new Response('${revision}')
    return project.fetch(request, ...rest)
  },
}
`
}

/** Makes the smallest Worker in `folder`, or a copy of the example of that name. */
export async function makeProject(folder: string, example?: string): Promise<Project> {
  const main = join(folder, 'src/index.ts')
  await mkdir(join(folder, 'src'), { recursive: true })
  if (example === undefined) {
    await writeFile(join(folder, 'wrangler.jsonc'), JSON.stringify(CONFIGURATION))
    return { folder, save: (revision) => writeFile(main, smallest(revision)) }
  }
  const origin = fileURLToPath(new URL(`examples/${example}/`, REPOSITORY))
  for (const part of ['src', 'wrangler.jsonc', 'hawser.jsonc', 'package.json']) {
    await cp(join(origin, part), join(folder, part), { recursive: true })
  }
  await symlink(fileURLToPath(new URL('node_modules', REPOSITORY)), join(folder, 'node_modules'))
  await rename(main, join(folder, 'src/project.ts'))
  return { folder, save: (revision) => writeFile(main, inFront(revision)) }
}
