import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import { ProcessLog } from './process-log.ts'
import type { ProcessLogOptions } from './process-log.ts'

const REFUSED = new HawserError('tunnel_auth_failed', 'the edge said no')

/** A log over an array in place of stderr. */
function open(options: Partial<ProcessLogOptions> = {}, isTTY = false): { log: ProcessLog; written: string[] } {
  const written: string[] = []
  const stderr = { isTTY, write: (text: string) => written.push(text) }
  const log = new ProcessLog({ level: 'info', format: undefined, file: undefined, colour: true, stderr, ...options })
  return { log, written }
}

test('nobody said how: text in colour on a terminal, JSON elsewhere', () => {
  for (const [isTTY, part] of [
    [true, '\u001b[32minfo'],
    [false, '{"level":"info"'],
  ] as const) {
    const { log, written } = open({}, isTTY)
    log.logger.info('x')
    assert.ok(written[0]?.includes(part), written[0])
    assert.equal(log.isJson, false, 'a guess is no promise')
  }
})

test('last words are a sentence for people, unless JSON was asked for', () => {
  const guessed = open()
  guessed.log.fail(REFUSED, 'hawser connector run')
  assert.match(guessed.written.join(''), /^hawser: the edge said no \(tunnel_auth_failed\)\n.*hawser tunnel token/)
  const asked = open({ format: 'json' }, true)
  asked.log.fail(REFUSED, 'hawser connector run')
  assert.equal(asked.written.length, 1)
  assert.partialDeepStrictEqual(JSON.parse(asked.written[0] ?? ''), {
    level: 'error',
    message: 'failed',
    code: 'tunnel_auth_failed',
    error: { message: 'the edge said no' },
  })
})

test('a fault of ours keeps its stack in JSON, whatever was thrown', () => {
  const { log, written } = open({ format: 'json' })
  log.fail(new TypeError('boom'), 'hawser edge')
  log.fail('a text', 'hawser edge')
  log.fail(undefined, 'hawser edge')
  const lines = written.map((line) => JSON.parse(line) as { code: string; error?: { stack?: string } })
  assert.deepEqual(
    lines.map(({ code }) => code),
    ['proxy_internal_error', 'proxy_internal_error', 'proxy_internal_error'],
  )
  assert.match(lines[0]?.error?.stack ?? '', /^TypeError: boom\n/)
})

test('a file takes lines without colour; last words go to both', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-log-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [format, pattern] of [
    ['text', /^\S+ info {2}x token=\[secret\]\n\S+ error failed: the edge said no \(tunnel_auth_failed\) /],
    [undefined, /^\{.*"token":"\[secret\]".*\}\n\{.*"code":"tunnel_auth_failed".*\}\n$/],
  ] as const) {
    const file = join(folder, `${format ?? 'guessed'}.log`)
    const { log, written } = open({ format, file }, true)
    using _log = log
    log.logger.info('x', { token: new Secret('hunter2') })
    log.fail(REFUSED, 'hawser connector run')
    assert.match(await readFile(file, 'utf8'), pattern)
    assert.match(written.join(''), /^hawser: the edge said no \(tunnel_auth_failed\)\n/)
  }
})
