/**
 * Writes what is made of the schema of `hawser.jsonc`: the JSON Schema for editors, and its page in the docs.
 * `node scripts/hawser-jsonc.ts` after each change of `packages/workers/src/hawser-schema.ts`; a test says when it is due.
 */
import { writeFile } from 'node:fs/promises'
import { hawserJsonSchema } from '../packages/workers/src/hawser-schema.ts'

export const SCHEMA_FILE = 'packages/cli/schema/hawser.schema.json'
export const PAGE_FILE = 'docs/hawser-jsonc.md'

/** The part of JSON Schema that the schema of `hawser.jsonc` uses. */
interface Schema {
  readonly type: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | false
  readonly items?: Schema
  /** A value, or an object that says more. */
  readonly anyOf?: readonly Schema[]
}

const INTRO = `# hawser.jsonc

<!-- Made by scripts/hawser-jsonc.ts out of packages/workers/src/hawser-schema.ts: change it there. -->

An optional file beside the wrangler configuration. It says what Hawser has to know and wrangler has no key for, so that the
wrangler file stays as it is deployed. \`hawser init\` writes one from the bindings it finds, \`hawser check\` tries what it says.

\`\`\`jsonc
{
  "$schema": "./node_modules/hawser/schema/hawser.schema.json",
  "egress": "MY_VPC",
  "networks": {
    "MY_VPC": {
      "hosts": { "10.0.1.50": "127.0.0.1", "db.internal:5432": "127.0.0.1:55432", "*.svc.internal": "127.0.0.1" },
    },
  },
  "services": { "MY_SVC": { "host": "127.0.0.1", "httpPort": 8080, "httpsPort": 8443, "tcpPort": 55432 } },
  "tls": [{ "match": "10.0.1.50:443", "ca": "ca.pem", "verify": "verify_full", "serverName": "api.internal" }],
  "limits": { "connections": 6 },
}
\`\`\`

- Comments and trailing commas are allowed. A key that is not on this page, a key that stands twice, and the name of a binding
  that the wrangler file does not have are errors: \`file:line:column: what is wrong\`, exit code 2.
- \`networks\`, \`services\` and \`egress.hosts\` are for \`hawser dev\`, where hosts have stand-ins. The binding of \`egress\`, \`tls\` and
  \`limits\` hold for \`hawser edge\` as well, and the \`virtualNetwork\` of a network holds for it alone.
- Paths are relative to the file.
- With the \`$schema\` line, and \`hawser\` among the project's development dependencies, editors complete the keys and explain
  them.
`

/** `string`, `whole number, 1 to 65535`, `"a" or "b"`, `list of …`. */
function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`"${value}"\``).join(', ')
  if (schema.type === 'integer') return `whole number, ${schema.minimum} to ${schema.maximum}`
  if (schema.type === 'array') return 'list of objects'
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ')
  return schema.type
}

function examplesOf({ examples = [] }: Schema): string {
  if (examples.length === 0) return ''
  return ` Example${examples.length === 1 ? '' : 's'}: ${examples.map((value) => `\`${JSON.stringify(value)}\``).join(', ')}.`
}

function entryOf(key: string, schema: Schema, required: boolean): string {
  const type = `${typeOf(schema)}${required ? ', required' : ''}`
  return `- **\`${key}\`** (${type}): ${schema.description ?? ''}${examplesOf(schema)}\n`
}

/** One list of the keys of an object, and one for each object below it, under the path that leads there. */
function sectionsOf(schema: Schema, path: string): string {
  const { properties = {}, additionalProperties, items, anyOf = [], required = [] } = schema
  if (anyOf.length > 0) return anyOf.map((form) => sectionsOf(form, path)).join('')
  if (items !== undefined) return sectionsOf(items, `${path}[…]`)
  const below = typeof additionalProperties === 'object' ? additionalProperties : undefined
  if (below !== undefined) return below.type === 'object' ? sectionsOf(below, `${path}.<binding>`) : ''
  const entries = Object.entries(properties)
  if (entries.length === 0) return ''
  const list = entries.map(([key, value]) => entryOf(key, value, required.includes(key))).join('')
  const heading = path === '' ? '## Keys' : `## \`${path}\``
  const inner = entries.map(([key, value]) => sectionsOf(value, path === '' ? key : `${path}.${key}`)).join('')
  return `\n${heading}\n\n${list}${inner}`
}

/** The JSON Schema as it is shipped, its short lists on one line as the formatter has them. */
export function schemaText(): string {
  const text = JSON.stringify(hawserJsonSchema(), undefined, 2)
  const compact = text.replaceAll(
    /\[\n\s+("[^\]{}]*")\n\s+\]/g,
    (_, inner: string) => `[${inner.replaceAll(/\n\s+/g, ' ')}]`,
  )
  return `${compact}\n`
}

/** `docs/hawser-jsonc.md`. */
export function pageText(): string {
  return `${INTRO}${sectionsOf(hawserJsonSchema() as Schema, '')}`
}

if (import.meta.main) {
  await writeFile(SCHEMA_FILE, schemaText())
  await writeFile(PAGE_FILE, pageText())
}
