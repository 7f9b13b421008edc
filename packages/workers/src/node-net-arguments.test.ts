/** Arguments and options of `net.connect()` in a Worker; Node's own module is the oracle. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkSocketOptions, hostOf, normalizeArguments, parseTarget } from './runtime-node/connect-arguments.ts'

type Normalize = (args: readonly unknown[]) => readonly [options: object, callback: unknown]

const nodeNormalize = Reflect.get(net, '_normalizeArgs') as Normalize

const callback = (): void => {}

test('all forms of arguments mean what they mean in Node.js', () => {
  const port = fc.oneof(
    fc.integer(),
    fc.nat(70_000).map(String),
    fc.string(),
    fc.constantFrom('0x10', '1e3', ' 80', ''),
  )
  const host = fc.oneof(fc.string(), fc.constantFrom('::1', 'db.internal'))
  const options = fc.record({ port, host, path: fc.string() }, { requiredKeys: [] })
  const end = fc.constantFrom([], [callback])
  const args = fc.oneof(
    fc.tuple(port, end).map(([first, last]) => [first, ...last]),
    fc.tuple(port, host, end).map(([first, second, last]) => [first, second, ...last]),
    fc.tuple(options, end).map(([first, last]) => [first, ...last]),
    fc.constant([]),
  )
  fc.assert(
    fc.property(args, (list) => {
      const [expected, expectedCallback] = nodeNormalize(list)
      const [actual, actualCallback] = normalizeArguments(list)
      assert.deepEqual({ ...actual }, { ...expected })
      assert.equal(actualCallback ?? null, expectedCallback)
    }),
    { examples: [[['5432', 'db.internal']], [['/run/x.sock', callback]], [['80x', 'h']], [[-1]]] },
  )
})

test('what Node.js takes for no port is none here, and the same the other way round', () => {
  const port = fc.oneof(
    fc.integer({ min: -10, max: 70_000 }),
    fc.double(),
    fc.string(),
    fc.integer({ min: -10, max: 70_000 }).map(String),
    fc.constantFrom('', ' ', '0x50', '1e2', '80.0', '80.5', Number.NaN, Infinity, null, true),
  )
  // A name is never looked up, and nothing dialled, for the lookup is ours and does not answer.
  const accepts = (value: unknown): boolean => {
    const socket = new net.Socket()
    try {
      socket.connect({ port: value as number, host: 'h', lookup: () => {} })
      return true
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  }
  fc.assert(
    fc.property(port, (value) => {
      let actual: number | undefined
      try {
        actual = parseTarget({ port: value }).port
      } catch (error) {
        assert.equal(Reflect.get(error as Error, 'code'), 'ERR_SOCKET_BAD_PORT')
      }
      assert.equal(actual !== undefined, accepts(value))
      if (actual !== undefined) assert.equal(actual, Number(value))
    }),
  )
})

test('a host may have brackets around it, or be missing', () => {
  const cases: readonly (readonly [given: unknown, host: string])[] = [
    ['db.internal', 'db.internal'],
    ['DB.internal', 'DB.internal'],
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['[', '['],
    ['[]', ''],
    ['[a][b]', '[a][b]'],
    ['', 'localhost'],
    [undefined, 'localhost'],
    [null, 'localhost'],
    [10, '10'],
  ]
  for (const [host, expected] of cases) assert.equal(hostOf({ host }), expected, String(host))
})

test('family, hints and lookup are passed on if they are what they should be', () => {
  const lookup = (): void => {}
  assert.deepEqual(parseTarget({ port: 1, host: 'h', family: 6, hints: 32, lookup }), {
    host: 'h',
    port: 1,
    family: 6,
    lookup,
    hints: 32,
  })
  for (const family of [0, 5, '4', 'IPv6', null]) assert.equal(parseTarget({ port: 1, family }).family, 0)
  assert.equal(parseTarget({ port: 1, lookup: null, hints: 'x' }).lookup, undefined)
  assert.equal(parseTarget({ port: 1, hints: 'x' }).hints, undefined)
})

test('a local address is checked and then forgotten', () => {
  for (const localAddress of ['10.0.0.1', '::', undefined]) parseTarget({ port: 1, localAddress, localPort: 5 })
  const codes = [{ localAddress: 'eth0' }, { localAddress: 5 }, { localAddress: '' }, { localPort: '5' }].map(
    (options) => {
      try {
        return parseTarget({ port: 1, ...options })
      } catch (error) {
        return Reflect.get(error as Error, 'code')
      }
    },
  )
  const address = 'ERR_INVALID_IP_ADDRESS'
  assert.deepEqual(codes, [address, address, address, 'ERR_INVALID_ARG_TYPE'])
})

test('options of a socket that would change what it is are refused, those that say no are not', () => {
  const { signal } = new AbortController()
  for (const options of [{}, { objectMode: false, readableObjectMode: null }, { signal }, { signal: undefined }]) {
    checkSocketOptions(options)
  }
  const refused = [
    { fd: 0 },
    { objectMode: true },
    { readableObjectMode: 1 },
    { writableObjectMode: true },
    { signal: {} },
  ]
  const codes = refused.map((options) => {
    try {
      return checkSocketOptions(options)
    } catch (error) {
      return Reflect.get(error as Error, 'code')
    }
  })
  const value = 'ERR_INVALID_ARG_VALUE'
  assert.deepEqual(codes, ['ERR_OPTION_NOT_IMPLEMENTED', value, value, value, 'ERR_INVALID_ARG_TYPE'])
})
