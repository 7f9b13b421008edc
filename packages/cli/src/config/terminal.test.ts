import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { withTerminal } from './terminal.ts'

/** A terminal whose user has typed all of it before it was asked. */
function terminal(typed: string, isTTY = true): { input: PassThrough & { isTTY?: boolean }; output: PassThrough } {
  const input = Object.assign(new PassThrough(), { isTTY })
  input.end(typed)
  return { input, output: new PassThrough() }
}

const limits = { timeout: 10_000 }

async function two(t: TestContext, typed: string): Promise<string[]> {
  return withTerminal(terminal(typed), t.signal, async (ask) => [await ask('a? '), await ask('b? ')])
}

test('each question gets a line, without the blanks around it', limits, async (t) => {
  const { input, output } = { input: Object.assign(new PassThrough(), { isTTY: true }), output: new PassThrough() }
  output.on('data', (text: Buffer) => {
    if (text.toString().includes('a? ')) input.write('  one \n')
    if (text.toString().includes('b? ')) input.write('\n')
  })
  const answers = await withTerminal({ input, output }, t.signal, async (ask) => [await ask('a? '), await ask('b? ')])
  assert.deepEqual(answers, ['one', ''])
})

test('where there is no terminal nobody is asked', limits, async (t) => {
  const used = withTerminal(terminal('one\n', false), t.signal, () => Promise.reject(new Error('it was asked')))
  await assert.rejects(used, { code: 'options_invalid', message: /--yes/ })
})

test('an input that ends too early is an error and no empty answer', limits, async (t) => {
  await assert.rejects(two(t, ''), { code: 'options_invalid', message: 'the input ended before the last answer' })
})

test('a stop ends the question that is open', limits, async () => {
  const stop = new AbortController()
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = new PassThrough()
  output.once('data', () => stop.abort())
  await assert.rejects(
    withTerminal({ input, output }, stop.signal, (ask) => ask('a? ')),
    { name: 'AbortError' },
  )
})

test('Ctrl-C at a question stops, and says that nothing was written', limits, async (t) => {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = Object.assign(new PassThrough(), { isTTY: true })
  output.once('data', () => input.write('\x03'))
  await assert.rejects(
    withTerminal({ input, output }, t.signal, (ask) => ask('a? ')),
    { code: 'connection_aborted', message: 'stopped; nothing was written' },
  )
})
