// What `hawser/testing` is: in the repository the sources, so that they are tested as they stand, else what was built.
import { existsSync } from 'node:fs'

const source = new URL('../src/testing/index.ts', import.meta.url)
const { startHawser } = await import(existsSync(source) ? source.href : '../dist/testing.mjs')

export { startHawser }
