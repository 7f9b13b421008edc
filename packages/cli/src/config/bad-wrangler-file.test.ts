/** wrangler's files written wrongly, as `hawser check` and `hawser init` tell it; most of the words are wrangler's own. */
import { testBadInput } from './test-bad-input.ts'
import type { BadRow } from './test-bad-input.ts'

const RIGHT = { name: 'orders', main: 'index.js', compatibility_date: '2026-06-01' }

/** `wrangler.json` with these keys → what is said. */
const KEYS: readonly [extra: Readonly<Record<string, unknown>>, ...says: string[]][] = [
  [{ name: 5 }, 'Expected "name" to be of type string', 'got 5'],
  [{ name: 'Not Valid!' }, 'Expected "name"', 'lowercase with dashes', 'got "Not Valid!"'],
  [{ main: 5 }, 'Expected "main" to be of type string but got 5'],
  [{ main: undefined }, '"main" is missing', 'entry point'],
  [{ main: 'none.js' }, '"main" must be a file that is there, got "none.js"'],
  [{ main: '.' }, '"main" must be a file that is there'],
  [{ main: 'a.py', compatibility_flags: ['python_workers'] }, '"main": Python Workers are not supported'],
  [{ pages_build_output_dir: 'd' }, '"pages_build_output_dir"', 'only Workers'],
  [{ compatibility_date: 20260601 }, 'Expected "compatibility_date" to be of type string but got 20260601'],
  [{ compatibility_date: 'soon' }, '"compatibility_date" field should be a valid ISO-8601 date', 'got "soon"'],
  [
    { compatibility_flags: 'nodejs_compat' },
    '"compatibility_flags" to be of type string array but got "nodejs_compat"',
  ],
  [{ compatibility_flags: [5] }, '"compatibility_flags" to be of type string array but got [5]'],
  [{ vars: 'x' }, 'The field "vars" should be an object but got "x"'],
  [{ dev: { port: 'x' } }, 'Expected "dev.port" to be of type number but got "x"'],
  [{ build: { command: 5 } }, 'Expected "build.command" to be of type string but got 5'],
  [{ triggers: { crons: 'x' } }, 'Expected "triggers.crons" to be of type array', 'got {"crons":"x"}'],
  [{ kv_namespaces: {} }, 'The field "kv_namespaces" should be an array but got {}'],
  [{ kv_namespaces: [{ binding: 5 }] }, '"kv_namespaces[0]"', 'string "binding" field', 'got {"binding":5}'],
  [{ durable_objects: { bindings: [{ name: 'A' }] } }, '"durable_objects.bindings[0]"', 'string "class_name" field'],
  [{ vpc_networks: 'A' }, 'The field "vpc_networks" should be an array but got "A"'],
  [{ vpc_networks: ['A'] }, '"vpc_networks" bindings should be objects, but got "A"'],
  [{ vpc_networks: [{ binding: 'A' }] }, '"vpc_networks[0]"', '"tunnel_id" or "network_id"', 'got {"binding":"A"}'],
  [
    { vpc_networks: [{ binding: 5, tunnel_id: 'x' }] },
    '"vpc_networks[0]"',
    'string "binding" field',
    'got {"binding":5',
  ],
  [
    { vpc_networks: [{ binding: 'A', tunnel_id: 5 }] },
    '"vpc_networks[0]"',
    'string "tunnel_id" field',
    '"tunnel_id":5',
  ],
  [{ vpc_networks: [{ binding: 'A', tunnel_id: 'x', network_id: 'y' }] }, '"vpc_networks[0]"', 'but not both'],
  [{ vpc_services: {} }, 'The field "vpc_services" should be an array but got {}'],
  [{ vpc_services: [{ binding: 'A' }] }, '"vpc_services[0]"', '"service_id" field', 'got {"binding":"A"}'],
  [{ vpc_services: [{ binding: 'A', service_id: 5 }] }, '"vpc_services[0]"', '"service_id" field', '"service_id":5'],
  [
    { vpc_networks: [{ binding: 'A', tunnel_id: 'x' }], vpc_services: [{ binding: 'A', service_id: 'x' }] },
    'A assigned to VPC Service and VPC Network bindings',
    'unique names',
  ],
]

const rows: readonly BadRow[] = [
  ...KEYS.map(([extra, ...says]) => ({
    line: 'check -c $',
    files: { 'wrangler.json': { ...RIGHT, ...extra } },
    says: ['./wrangler.json', ...says],
  })),
  // the form
  {
    line: 'init -c $ --yes',
    files: { 'wrangler.json': '{ "name": ' },
    says: ['./wrangler.json:1:11: ', 'end of the file'],
  },
  { line: 'init -c $ --yes', files: { 'wrangler.json': '{ name: "a" }' }, says: ['./wrangler.json:1:3: ', 'got name'] },
  { line: 'check -c $', files: { 'wrangler.json': '["a"]' }, says: ['./wrangler.json', 'an object', 'got ["a"]'] },
  {
    line: 'check -c $',
    files: { 'wrangler.json': undefined, 'wrangler.toml': 'name = ' },
    says: ['./wrangler.toml:1:8: ', 'no value specified'],
  },
  {
    line: 'init -c $ --yes',
    files: { 'wrangler.json': undefined, 'wrangler.toml': '[[vpc_networks]]\nbinding = 5\n' },
    says: ['./wrangler.toml', '"vpc_networks[0]"', 'string "binding" field', 'got {"binding":5}'],
  },
  // which file
  { line: 'check -c $/none.jsonc', says: ['./none.jsonc: no such file'] },
  { line: 'init -c $/none/wrangler.toml', says: ['./none/wrangler.toml: no such file'] },
  { line: 'check -c $/index.js', says: ['./index.js: expected a file named *.json, *.jsonc, *.toml'] },
  {
    line: 'check -c $',
    files: { 'wrangler.json': undefined },
    says: ['.: the folder has none of wrangler.json, wrangler.jsonc, wrangler.toml'],
  },
]

testBadInput(rows)
