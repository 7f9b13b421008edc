import { defineConfig } from 'tsdown'

/** The published form: one module and its types. Types come from the annotations alone, without a compiler run. */
export default defineConfig({
  entry: 'src/index.ts',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  dts: { oxc: true },
  sourcemap: true,
})
