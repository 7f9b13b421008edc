import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { testLine } from './test-line.ts'
import { hawserProcess } from './test-process.ts'

const limits = { timeout: 120_000 }

test(
  'a tunnel is configured, looked at, rotated and revoked by commands, while its connector runs',
  limits,
  async (t) => {
    assertNoLeaks(t)
    const dir = await mkdtemp(join(tmpdir(), 'hawser-tunnel-'))
    t.after(() => rm(dir, { recursive: true, force: true }))
    await using edge = hawserProcess(['edge', '--data-dir', dir, '--tunnel', '127.0.0.1:0', '--api', '127.0.0.1:0'])
    await edge.says(/^Next: /m)
    const tunnel = async (...line: string[]): Promise<string> => {
      const { code, stdout, stderr } = await testLine(['tunnel', ...line], { HAWSER_DATA_DIR: dir })
      assert.equal(code, 0, stderr)
      return stdout
    }
    const shows = async (pattern: RegExp): Promise<void> => {
      for (let text = ''; !pattern.test(text);) text = await tunnel('info', 'lab')
    }
    await tunnel('create', 'lab')
    await shows(/^status +inactive$/m)
    const tokenFile = join(dir, 'lab.token')
    await writeFile(tokenFile, await tunnel('token', 'lab'))
    await using connector = hawserProcess(['connector', 'run', '--token-file', tokenFile, '--weight', '60'])
    await shows(/^status +healthy$/m)
    await shows(/^targets +not probed$/m)
    assert.equal((await tunnel('info', 'lab')).match(/ 60 +\d\S* +127\.0\.0\.1 /g)?.length, 1, 'one row')
    await shows(/ 60 +4\/4 +127\.0\.0\.1 /)

    const nobody = await testLine(['tunnel', 'disconnect', 'lab', '--connector', 'nobody', '--data-dir', dir])
    assert.equal(nobody.code, 2)
    assert.match(nobody.stderr, /--connector: no connector "nobody" runs lab now.+\(options_invalid\)\n/)
    await tunnel('disconnect', 'lab')
    await connector.says(/"code":"tunnel_closed".+disconnected by an operator \(3\)/)
    await edge.says(/"code":"tunnel_closed","reason":"disconnected by an operator"/)
    await shows(/ 60 +4\/4 +127\.0\.0\.1 /)

    assert.match(await tunnel('configure', 'lab'), /^version 0$/m)
    const probes = ['--probe', 'tcp://127.0.0.1:1', '--interval', '1s']
    assert.match(await tunnel('configure', 'lab', ...probes, '--connector-log', 'debug'), /^version 1$/m)
    await shows(/^127\.0\.0\.1:1 +\S+ +does not answer \(connection_refused\)$/m)
    await shows(/^targets +down$/m)
    await shows(/^status +healthy$/m)
    await connector.says(/configured by the edge/)
    assert.match(await tunnel('configure', 'lab', '--clear'), /^version 2$/m)
    await shows(/^targets +not probed$/m)

    assert.match(await tunnel('rotate', 'lab'), /opens no new connection/)
    assert.notEqual(await tunnel('token', 'lab'), '')
    await shows(/^status +healthy$/m)
    await tunnel('rotate', 'lab', '--revoke')
    await connector.says(/tunnel_auth_failed/)
    await shows(/^status +down$/m)
    for (const bad of ['udp://a:1', 'tcp://a', 'db:5432']) {
      const { code, stderr } = await testLine(['tunnel', 'configure', 'lab', '--probe', bad, '--data-dir', dir])
      assert.equal(code, 2)
      assert.match(stderr, /--probe: expected tcp:\/\/host:port/)
    }
    await connector.stop()
    assert.deepEqual(await edge.stop(), { code: 0, signal: null })
  },
)
