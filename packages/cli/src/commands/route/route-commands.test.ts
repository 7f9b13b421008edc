import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { API_BASE, createApi, serveApi } from '@hawser/api'
import { formatHostPort, Secret } from '@hawser/core'
import { openDirectory } from '@hawser/directory'
import type { Directory } from '@hawser/directory'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { testLine } from '../../test-line.ts'

const LIMIT = { timeout: 30_000 }

interface Lab extends AsyncDisposable {
  readonly directory: Directory
  /** What a command line printed, its exit code first where that is not 0. */
  readonly run: (line: string) => Promise<string>
}

/** The real API over a directory in memory, with two tunnels, `lab` and `plant`. */
async function open(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  await using opening = new AsyncDisposableStack()
  const directory = opening.use(await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) }))
  const logger = new CapturedLog()
  const app = createApi({
    directory,
    tunnelToken: () => Promise.resolve(new Secret('unused')),
    connections: () => [],
    configureTunnel: () => Promise.resolve(),
    logger,
  } as Parameters<typeof createApi>[0])
  const served = opening.use(await serveApi({ app, listen: { host: '127.0.0.1', port: 0 }, logger }))
  const { token } = await directory.apiTokens.create('test')
  await directory.tunnels.create({ name: 'lab' })
  await directory.tunnels.create({ name: 'plant' })
  const api = ['--api', `http://${formatHostPort(served.address)}${API_BASE}`, '--api-token', token.reveal()]
  const run: Lab['run'] = async (line) => {
    const { code, stdout, stderr } = await testLine([...line.split(' '), ...api])
    return code === 0 ? stdout : `${code}: ${stderr}`
  }
  const owned = opening.move()
  return { directory, run, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

test('routes of addresses and of names are added, listed and deleted by what they are', LIMIT, async (t) => {
  await using lab = await open(t)
  const { run, directory } = lab
  assert.match(
    await run('route add 10.0.0.0/8 lab --comment office'),
    /^10\.0\.0\.0\/8 in virtual network default leads to tunnel lab \(/,
  )
  assert.match(
    await run('route add 10.1.2.3 plant'),
    /^10\.1\.2\.3\/32 in virtual network default leads to tunnel plant/,
  )
  assert.match(await run('route add *.Internal lab'), /^\*\.internal leads to tunnel lab/)
  const listed = await run('route list')
  assert.match(
    listed,
    /^ROUTE +NETWORK +TUNNEL +ID +COMMENT\n10\.0\.0\.0\/8 +default +lab +\S+ +office\n10\.1\.2\.3\/32/,
  )
  assert.match(listed, /\n\*\.internal +\(all\) +lab +\S+\n$/)
  assert.equal((JSON.parse(await run('route list --json --tunnel plant')) as object[]).length, 1)
  assert.equal(await run('route delete 10.1.2.3'), 'Deleted the route 10.1.2.3/32 to tunnel plant\n')
  assert.equal(await run('route delete *.INTERNAL'), 'Deleted the route *.internal to tunnel lab\n')
  const [left] = (await directory.routes.list()).items
  assert.equal(await run(`route delete ${left?.id}`), 'Deleted the route 10.0.0.0/8 to tunnel lab\n')
  assert.match(await run('route delete 10.0.0.0/8'), /^1: .*there is no route "10\.0\.0\.0\/8"/)
})

test('networks keep their routes apart, and a command says which it means', LIMIT, async (t) => {
  await using lab = await open(t)
  const { run } = lab
  assert.match(await run('vnet add site-b --comment plant'), /^Added virtual network site-b with id /)
  await run('route add 10.0.0.0/8 lab')
  assert.match(await run('route add 10.0.0.0/8 plant --vnet site-b'), /in virtual network site-b leads to tunnel plant/)
  assert.match(await run('route list --vnet site-b'), /\n10\.0\.0\.0\/8 +site-b +plant +\S+\n$/)
  assert.match(
    await run('route delete 10.0.0.0/8'),
    /^1: .*several virtual networks have a route for 10\.0\.0\.0\/8; name one by --vnet/,
  )
  assert.match(await run('vnet delete site-b'), /^1: .*still has 1 route\(s\); delete them first, or give --force/)
  assert.match(
    await run('tunnel delete plant'),
    /^1: .*1 route\(s\) lead to tunnel plant; delete them first, or give --force/,
  )
  assert.match(await run('vnet delete default'), /^1: .*is the default network/)
  assert.match(await run('route delete 10.1.0.0/8'), /^2: hawser: route: expected .* did you mean 10\.0\.0\.0\/8/)
  assert.equal(await run('route delete 10.0.0.0/8 --vnet site-b'), 'Deleted the route 10.0.0.0/8 to tunnel plant\n')
  assert.match(await run('vnet delete site-b'), /^Deleted virtual network site-b \(/)
  assert.match(await run('route list --vnet site-b'), /^1: .*there is no virtual network "site-b"/)
  assert.match(await run('route add *.internal lab --vnet default'), /^2: .*--vnet is for addresses/)
})

test('networks are listed, renamed, and one of them is the default', LIMIT, async (t) => {
  await using lab = await open(t)
  const { run } = lab
  await run('vnet add site-b')
  assert.match(await run('vnet update site-b --default --name plant'), /^Updated virtual network plant/)
  const list = await run('vnet list')
  assert.match(list, /^NAME +DEFAULT +ID +CREATED +COMMENT\n/)
  assert.match(list, /\nplant +yes +/)
  assert.match(await run('vnet delete plant --force'), /^1: .*is the default network/)
  assert.match(await run('vnet update plant'), /^2: .*there is nothing to change/)
  const added = JSON.parse(await run('vnet add third --json')) as { name: string }
  assert.equal(added.name, 'third')
})

test('explain says which route decides, which others hold the host, and whether anybody is there', LIMIT, async (t) => {
  await using lab = await open(t)
  const { run } = lab
  for (const route of ['10.0.0.0/8 lab', '10.1.0.0/16 plant', '*.internal lab', 'db.internal plant'])
    await run(`route add ${route}`)
  const address = await run('route explain 10.1.2.3')
  assert.match(
    address,
    /^10\.1\.2\.3 takes 10\.1\.0\.0\/16 to tunnel plant\nNo connector runs tunnel plant now: calls would fail/,
  )
  assert.match(address, /\nHOLDS IT +TUNNEL +COMMENT\n10\.1\.0\.0\/16 +plant\n10\.0\.0\.0\/8 +lab\n$/)
  assert.match(await run('route explain DB.internal'), /^db\.internal takes db\.internal to tunnel plant/)
  assert.match(await run('route explain web.internal'), /^web\.internal takes \*\.internal to tunnel lab/)
  assert.match(await run('route explain 11.0.0.1'), /^1: .*no route of virtual network default leads to 11\.0\.0\.1/)
  assert.match(await run('route explain a.b.internal'), /^1: .*no hostname route leads to a\.b\.internal/)
  assert.match(await run('route explain internal'), /^1: .*no hostname route/)
  const told = JSON.parse(await run('route explain 10.9.9.9 --json')) as { host: string; routes: { network: string }[] }
  assert.deepEqual([told.host, told.routes.map(({ network }) => network)], ['10.9.9.9', ['10.0.0.0/8']])
  await run('vnet add site-b')
  assert.match(await run('route explain 10.9.9.9 --vnet site-b'), /no route of virtual network site-b leads to/)
})

test('what the API refuses is told as it says it', LIMIT, async (t) => {
  await using lab = await open(t)
  const { run } = lab
  assert.match(await run('route add 10.0.0.1/8 lab'), /^2: .*network: expected an address block/)
  assert.match(await run('route add 10.0.0.0/8 nobody'), /^1: .*there is no tunnel "nobody"/)
  await run('route add 10.0.0.0/8 lab')
  assert.match(await run('route add 10.0.0.0/8 plant'), /^1: .*there is a route for 10\.0\.0\.0\/8/)
  assert.match(await run('vnet add default'), /^1: .*"default" exists already/)
  assert.match(
    await run('tunnel delete lab'),
    /^1: .*1 route\(s\) lead to tunnel lab; delete them first, or give --force/,
  )
  assert.match(await run('tunnel delete lab --force'), /^Deleted tunnel lab/)
})
