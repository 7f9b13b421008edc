import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSockets, strayConnections, tunnelConnections } from './leaks.ts'

const OUTPUT = `LISTEN    0      511          0.0.0.0:7844       0.0.0.0:*     users:(("node",pid=10,fd=22))
LISTEN    0      511    [::ffff:1.2.3.4]:9000          *:*     users:(("node",pid=10,fd=23))
ESTAB     0      0          10.77.0.1:7844     10.77.1.2:50000 users:(("node",pid=10,fd=30))
ESTAB     12     0          10.77.0.1:7846     10.77.0.2:50001 users:(("node",pid=10,fd=31),("node",pid=11,fd=5))
TIME-WAIT 0      0          10.77.0.1:7846     10.77.0.2:50002
ESTAB     0      0          10.77.1.2:50000    10.77.0.1:7844  users:(("node",pid=12,fd=9))
CLOSE-WAIT 1     0          10.78.1.2:40000    10.78.0.1:9000  users:(("node",pid=12,fd=10))

`

test('sockets are read with their owners; those without are nobody’s', () => {
  const sockets = parseSockets(OUTPUT)
  assert.deepEqual(
    sockets.map(({ pid }) => pid),
    [10, 10, 10, 10, 11, 12, 12],
  )
  assert.deepEqual(sockets[2], { state: 'ESTAB', local: '10.77.0.1:7844', peer: '10.77.1.2:50000', pid: 10 })
  assert.deepEqual(parseSockets(''), [])
})

test('connections that are neither listeners nor tunnels are strays', () => {
  const sockets = parseSockets(OUTPUT)
  assert.deepEqual(
    strayConnections(sockets).map(({ state, pid }) => `${state} ${pid}`),
    ['ESTAB 10', 'ESTAB 11', 'CLOSE-WAIT 12'],
  )
  assert.deepEqual(
    tunnelConnections(sockets).map(({ pid }) => pid),
    [10, 12],
  )
})
