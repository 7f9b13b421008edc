import { join } from 'node:path'
import { defineConfig } from 'tsdown'

/** Everything of this repository goes into the output, what comes from a registry stays a dependency. */
const workspaces = /^@hawser\//

/** Readable by the Nodes that are too old to run it, so that these get a sentence instead of a syntax error. */
const READABLE_BY = 'node20'

const tooOld = `#!/usr/bin/env node
{
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 24 || (major === 24 && minor < 11)) {
    process.stderr.write(\`hawser: Node 24.11 or newer is needed, this is \${process.versions.node} (options_invalid)\\n\`)
    process.exit(2)
  }
}`

/** Tests build elsewhere, so that the launcher goes on running the sources. */
const outDir = process.env['HAWSER_BUILD_DIR'] ?? 'dist'

const common = {
  outDir,
  format: 'esm',
  platform: 'node',
  dts: false,
  clean: false,
  report: false,
  fixedExtension: true,
} as const

export default defineConfig([
  {
    ...common,
    name: 'hawser',
    entry: { main: 'src/main.ts', testing: 'src/testing/index.ts' },
    target: 'node24.11',
    sourcemap: true,
    copy: ['../workers/src/workerd-launcher.sh'],
    deps: {
      alwaysBundle: [workspaces],
      neverBundle: (id) => !workspaces.test(id) && /^[^./]/.test(id),
      onlyBundle: false,
    },
  },
  {
    ...common,
    name: 'testing-types',
    // The module itself is built with the program, so that the two share what they can; these are the types alone.
    entry: { testing: 'src/testing/index.ts' },
    dts: { oxc: true, emitDtsOnly: true },
  },
  {
    ...common,
    name: 'hawser-connector',
    entry: { 'hawser-connector': 'src/connector-main.ts' },
    target: READABLE_BY,
    banner: { js: tooOld },
    outputOptions: { codeSplitting: false },
    deps: { alwaysBundle: [/^(?!node:)/], onlyBundle: false, onlyImport: [] },
  },
  // What runs inside workerd is bundled once more for each Worker, from these folders beside the main file: here these are
  // files that import nothing of this repository any more.
  ...['runtime', 'runtime-node', 'runtime-dev'].map((name) => ({
    ...common,
    name,
    entry: [`../workers/src/${name}/*.worker.ts`],
    outDir: join(outDir, name),
    platform: 'neutral' as const,
    target: 'es2024',
    outExtensions: () => ({ js: '.ts' }),
    deps: { alwaysBundle: [workspaces], neverBundle: [/^(?:cloudflare|node:|hawser:)/], onlyBundle: false as const },
  })),
])
