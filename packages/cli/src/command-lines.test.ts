import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { hawser } from './hawser.ts'
import { testLine } from './test-line.ts'

interface Row {
  readonly line: string
  readonly env?: Readonly<Record<string, string>>
  /** What stderr must say, all of them. */
  readonly says: readonly (string | RegExp)[]
}

const EDGE = 'edge --data-dir d'
const RUN = 'connector run --token-file f'
const API = '--api http://127.0.0.1:9 --api-token t'

const wrong: readonly Row[] = [
  // the words
  { line: '', says: ['Usage: hawser', 'a command is missing'] },
  { line: 'tunnel', says: ['Usage: hawser tunnel', 'a command is missing', 'See: hawser tunnel --help'] },
  { line: 'connector', says: ['Usage: hawser connector', 'a command is missing'] },
  { line: 'egde', says: ["unknown command 'egde'", 'Did you mean edge?'] },
  { line: 'tunnel lst', says: ["unknown command 'lst'", 'Did you mean list?'] },
  { line: 'tunnel help', says: ["unknown command 'help'"] },
  { line: 'tunnel create', says: ["missing required argument 'name'", 'See: hawser tunnel create --help'] },
  { line: 'tunnel create a b', says: ['too many arguments'] },
  { line: 'tunnel list extra', says: ['too many arguments'] },
  { line: `${EDGE} extra`, says: ['too many arguments'] },
  // flags that are not there
  { line: `${EDGE} --tunel h:1`, says: ["unknown option '--tunel'", 'Did you mean --tunnel?'] },
  { line: 'tunnel list --jsn', says: ["unknown option '--jsn'", 'Did you mean --json?'] },
  { line: `${RUN} --tokne x`, says: ["unknown option '--tokne'", 'Did you mean --token?'] },
  { line: `${RUN} --tokne=hunter2`, says: [/unknown option '--tokne' \(/, 'Did you mean --token?'] },
  { line: `${RUN} -x`, says: ["unknown option '-x'"] },
  { line: 'tunnel info x --allow 10.0.0.0/8', says: ["unknown option '--allow'"] },
  // flags without a value
  { line: 'edge --data-dir', says: ['--data-dir', 'argument missing'] },
  { line: `${RUN} --edge`, says: ['--edge', 'argument missing'] },
  { line: 'tunnel list --json=yes', says: ['--json'] },
  // what is required
  { line: 'edge', says: ['--data-dir is required (or set HAWSER_DATA_DIR)', 'See: hawser edge --help'] },
  { line: 'connector run', says: ['--token-file or --token is required (or set HAWSER_TUNNEL_TOKEN)'] },
  { line: 'tunnel list', says: ['--data-dir or --api is required'] },
  { line: 'tunnel list --api http://127.0.0.1:9', says: ['--api-token is required with --api'] },
  // values
  { line: 'edge --data-dir=', says: ['--data-dir: expected a value'] },
  { line: `${EDGE} --tunnel 7844x:1:2`, says: ['--tunnel: expected host or host:port', '"7844x:1:2"'] },
  { line: `${EDGE} --tunnel h:65536`, says: ['--tunnel: ', '0 to 65535', '"h:65536"'] },
  { line: `${EDGE} --tunnel h:`, says: ['--tunnel: ', '"h:"'] },
  { line: `${EDGE} --api http://h`, says: ['--api: expected host or host:port'] },
  { line: `${EDGE} --api ::1:80`, says: ['--api: '] },
  { line: `${EDGE} --http :80`, says: ['--http: ', '":80"'] },
  { line: `${EDGE} --advertise a:b`, says: ['--advertise: ', '"a:b"'] },
  { line: `${EDGE} --advertise h:1 --advertise [h]:2`, says: ['--advertise: ', '"[h]:2"'] },
  { line: `${EDGE} --grace-period 10`, says: ['--grace-period: expected a duration', '"10"'] },
  { line: `${EDGE} --env prod`, says: ['--env is an environment of the Worker, so it needs --worker'] },
  { line: `${EDGE} --log-level loud`, says: ['--log-level: expected one of debug, info, warn, error, got "loud"'] },
  { line: `${EDGE} --log-format xml`, says: ['--log-format: expected one of text, json, got "xml"'] },
  { line: `${EDGE} --log-file /nowhere/x.log`, says: ['--log-file: /nowhere/x.log: ENOENT'] },
  { line: `${EDGE} --metrics h:p`, says: ['--metrics: ', '"h:p"'] },
  { line: `${RUN} --metrics 127.0.0.1:99999`, says: ['--metrics: ', '0 to 65535'] },
  { line: 'connector diag', says: ['--token-file or --token is required (or set HAWSER_TUNNEL_TOKEN)'] },
  { line: 'connector diag --token-file f', says: ['--token-file: /nowhere/f: ENOENT'] },
  { line: 'connector diag --token hunter2 --target db', says: ['--target: expected host:port', '"db"'] },
  { line: 'connector diag --token hunter2 --timeout 5', says: ['--timeout: expected a duration', '"5"'] },
  { line: `${RUN} --edge h:p`, says: ['--edge: ', '"h:p"'] },
  { line: `${RUN} --grace-period soon`, says: ['--grace-period: ', '"soon"'] },
  { line: `${RUN} --allow 10.0.0.0/33`, says: ['--allow: expected a CIDR', '"10.0.0.0/33"'] },
  { line: `${RUN} --allow 10.0.0.1/8`, says: ['--allow: ', 'use 10.0.0.0/8'] },
  { line: `${RUN} --allow 10.0.0.0/8 --allow lan`, says: ['--allow: ', '"lan"'] },
  { line: `${RUN} --deny localhost`, says: ['--deny: expected a CIDR', '"localhost"'] },
  { line: `${RUN}`, says: ['--token-file: /nowhere/f: ENOENT'] },
  { line: 'connector run --token hunter2', says: ['token_invalid', 'hawser tunnel token'] },
  { line: 'connector run --token=', says: ['--token: expected a value'] },
  { line: 'tunnel list --api 127.0.0.1:1', says: ['--api: expected an http or https URL'] },
  { line: 'tunnel list --api http://u:hunter2@h', says: ['--api: expected a URL without credentials in it'] },
  { line: 'tunnel list --api-token=', says: ['--api-token: expected a value'] },
  { line: `tunnel create --name x ${API}`, says: ["unknown option '--name'"] },
  { line: 'demo --port 65536', says: ['--port: expected a whole number of 0 to 65535, got "65536"'] },
  { line: 'demo --port x', says: ['--port: ', '"x"'] },
  // the environment
  { line: 'edge', env: { HAWSER_DATA_DIR: '' }, says: ['--data-dir is required'] },
  { line: RUN, env: { HAWSER_EDGE: 'a:1,b:c' }, says: ['HAWSER_EDGE: ', '"b:c"'] },
  { line: RUN, env: { HAWSER_LOG_LEVEL: 'x' }, says: ['HAWSER_LOG_LEVEL: expected one of'] },
  { line: 'connector run', env: { HAWSER_TUNNEL_TOKEN: 'hunter2' }, says: ['token_invalid'] },
  {
    line: 'connector run',
    env: { HAWSER_ALLOW: '10.0.0.0/8 x', HAWSER_TUNNEL_TOKEN: 'x' },
    says: ['--allow: ', '"x"'],
  },
]

for (const { line, env, says } of wrong) {
  const shown = Object.entries(env ?? {}).map(([key, value]) => `${key}=${value} `)
  test(`refused with exit code 2: ${shown.join('')}hawser ${line}`, async () => {
    const { code, stdout, stderr } = await testLine(
      line.split(' ').filter((word) => word !== ''),
      env,
    )
    assert.equal(code, 2, stderr)
    assert.equal(stdout, '')
    for (const part of says) assert.ok(typeof part === 'string' ? stderr.includes(part) : part.test(stderr), stderr)
    assert.match(stderr, /hawser: .+ \([a-z_]+\)\n.+\n$/, 'a sentence with a code, then what to do next')
    assert.doesNotMatch(stderr, /hunter2|\n {4}at /)
  })
}

test('an edge that does not run is a failure, not a wrong command line', async () => {
  const { code, stderr } = await testLine(['tunnel', 'list', '--data-dir', 'd'])
  assert.equal(code, 1)
  assert.match(stderr, /^hawser: no edge is running on \/nowhere\/d: there is no edge\.json \(edge_unreachable\)\n/)
})

test('an API that does not answer is a failure with its address', async () => {
  const { code, stderr } = await testLine(['tunnel', 'list', ...API.split(' ')])
  assert.equal(code, 1)
  assert.match(stderr, /no answer from the API at http:\/\/127\.0\.0\.1:9\/client\/v4: .+ \(edge_unreachable\)/)
})

test('an empty token file is a wrong token', async () => {
  const { code, stderr } = await testLine(['connector', 'run', '--token-file', '/dev/null'])
  assert.equal(code, 2)
  assert.match(stderr, /token_invalid/)
})

test('every command has help with its flags, the common ones and its examples', async () => {
  for (const command of hawser.commands) {
    const { code, stdout, stderr } = await testLine([...command.name.split(' '), '--help'])
    assert.equal(code, 0)
    assert.equal(stderr, '')
    assert.match(stdout, new RegExp(`^Usage: hawser ${command.name} `))
    assert.ok(stdout.replaceAll(/\s+/g, ' ').includes(command.summary), command.name)
    for (const example of command.examples) assert.ok(stdout.includes(`  ${example}\n`), example)
    assert.ok(command.examples.length > 0, command.name)
    assert.match(stdout, /--log-level <level>/)
    assert.match(stdout, /-h, --help/)
  }
})

test('every command that reads has --json, and every secret flag has an environment variable', () => {
  for (const command of hawser.commands) {
    if (/^tunnel|diag$/.test(command.name)) assert.equal(command.flags['json']?.kind, 'boolean', command.name)
    for (const [key, spec] of Object.entries(command.flags)) {
      if (spec.secret === true) assert.ok(spec.env !== undefined, `${command.name} ${key}`)
      assert.doesNotMatch(spec.help, /\.$/, 'a phrase, not a sentence')
    }
  }
})

test('the connector help says how to keep the token out of the process list', async () => {
  const { stdout } = await testLine(['connector', 'run', '--help'])
  assert.match(stdout.replaceAll(/\s+/g, ' '), /can be seen by every user .* prefer --token-file or the environment/)
})

test('the top shows every noun once, and each noun its verbs', async () => {
  const top = await testLine(['--help'])
  for (const noun of ['demo', 'edge', 'connector', 'tunnel']) {
    assert.equal(top.stdout.split('\n').filter((line) => line.startsWith(`  ${noun} `)).length, 1, noun)
  }
  const tunnel = await testLine(['tunnel', '--help'])
  assert.equal(tunnel.code, 0)
  for (const verb of ['create', 'list', 'info', 'token', 'delete'])
    assert.match(tunnel.stdout, new RegExp(`\n  ${verb} `))
})

test('the version is one line', async () => {
  const { code, stdout } = await testLine(['--version'])
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test('a damaged edge.json is named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-cli-'))
  t.after(() => rm(folder, { recursive: true }))
  const { writeFile } = await import('node:fs/promises')
  for (const text of ['', '{', '[]', '{"api":1,"accountId":"a"}', 'null']) {
    await writeFile(join(folder, 'edge.json'), text)
    const { code, stderr } = await testLine(['tunnel', 'list', '--data-dir', folder])
    assert.equal(code, 2)
    assert.match(stderr, /edge\.json: not what an edge writes; start the edge again \(config_invalid\)/)
  }
})
