import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Program, REPOSITORY } from './support/process.ts'

test('npm start -- --check tries every promise of the demo and exits 0', { timeout: 120_000 }, async () => {
  await using program = new Program('npm', ['start', '--silent', '--', '--check'], {}, REPOSITORY)
  const code = await program.exited
  assert.equal(code, 0, program.lines.join('\n'))
  assert.ok(program.lines.filter((line) => line.startsWith('ok')).length >= 9, program.lines.join('\n'))
})

test(
  'npm start prints an address that shows rows and routes, and Ctrl-C closes everything within 2 s',
  { timeout: 120_000 },
  async () => {
    await using program = new Program('npm', ['start', '--silent', '--', '--port', '0'], {}, REPOSITORY)
    const url = (await program.line(/Open (http:\S+)/))[1] ?? ''
    const html = await (await fetch(url)).text()
    for (const wanted of [
      'Cutty Sark',
      'fender',
      'tunnel → connector',
      'destination_ip_prohibited',
      'connection_refused',
    ]) {
      assert.ok(html.includes(wanted), `the page lacks ${wanted}`)
    }
    const stoppedAt = performance.now()
    await program.interrupt()
    const tookMs = performance.now() - stoppedAt
    assert.ok(tookMs < 2000, `closing took ${tookMs.toFixed(0)} ms`) // the bound is the issue's, not a measure of speed
    await assert.rejects(fetch(url))
  },
)
