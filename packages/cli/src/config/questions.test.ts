import assert from 'node:assert/strict'
import test from 'node:test'
import { askForAnswers, defaultAnswers } from './questions.ts'
import type { Ask } from './questions.ts'

const bindings = {
  path: '/w/wrangler.json',
  networks: ['OFFICE', 'MESH'].map((binding) => ({ binding, network: { kind: 'tunnel', tunnelId: 't' } as const })),
  services: [{ binding: 'API', serviceId: 's' }],
}

/** Answers one after another, and what was asked. */
function scripted(answers: readonly string[]): { ask: Ask; asked: string[]; left: string[] } {
  const left = [...answers]
  const asked: string[] = []
  const ask: Ask = (question) => {
    asked.push(question)
    const answer = left.shift()
    return answer === undefined ? Promise.reject(new Error(`no answer for: ${question}`)) : Promise.resolve(answer)
  }
  return { ask, asked, left }
}

test('every binding is asked for, and the answers kept', async () => {
  const script = scripted(
    [
      'db.internal:5432 127.0.0.1:55432 *.svc.internal'.split(' '), // OFFICE
      ['', ''],
      ['', 'OFFICE'], // MESH, then egress
      'db.example.com:5432 127.0.0.1:55432'.split(' '), // public hosts
      [''],
      ['127.0.0.2', '8080', '-', '5432'],
    ].flat(),
  )
  assert.deepEqual(await askForAnswers(bindings, script.ask), {
    egress: 'OFFICE',
    publicHosts: [['db.example.com:5432', '127.0.0.1:55432']],
    networks: [
      {
        binding: 'OFFICE',
        hosts: [
          ['db.internal:5432', '127.0.0.1:55432'],
          ['*.svc.internal', '127.0.0.1'],
        ],
      },
      { binding: 'MESH', hosts: [] },
    ],
    services: [{ binding: 'API', host: '127.0.0.2', httpPort: 8080, httpsPort: undefined, tcpPort: 5432 }],
  })
  assert.deepEqual(script.left, [])
  assert.match(script.asked[1] ?? '', /^OFFICE: what stands in for db\.internal:5432 \[127\.0\.0\.1\]: $/)
})

test('empty answers say that everything is this machine', async () => {
  const script = scripted(['', '', '', '', ''])
  const nothing = { egress: undefined, publicHosts: [], ...defaultAnswers(bindings) }
  assert.deepEqual(await askForAnswers(bindings, script.ask), nothing)
})

test('the ports of a service have those of the protocol as defaults', async () => {
  const only = { ...bindings, networks: [] }
  const answers = await askForAnswers(only, scripted(['', 'api.test', '', '', '']).ask)
  assert.deepEqual(answers.services, [
    { binding: 'API', host: 'api.test', httpPort: 80, httpsPort: 443, tcpPort: undefined },
  ])
})

test('an answer that cannot be used is asked for again, saying why', async () => {
  const script = scripted([
    '10.0.0.0/8',
    'db',
    '*.x',
    'a:0',
    'a',
    '',
    '',
    'HOME',
    '',
    '',
    'a:1',
    'http://a',
    'a',
    '0',
    '65536',
    '80',
    'x',
    '1',
    '',
  ])
  const answers = await askForAnswers(bindings, script.ask)
  assert.deepEqual(answers.networks[0]?.hosts, [['db', 'a']])
  assert.deepEqual(answers.services[0], { binding: 'API', host: 'a', httpPort: 80, httpsPort: 1, tcpPort: undefined })
  const complaints = script.asked
    .filter((question) => question.startsWith('It must be '))
    .map((text) => text.split('\n')[0])
  assert.deepEqual(complaints, [
    'It must be a host name, an IP address, or "*." and a name; that was "10.0.0.0/8".',
    'It must be one host; that was "*.x".',
    'It must be followed by a port from 1 to 65535, or by none; that was "a:0".',
    'It must be one of OFFICE, MESH, or nothing; that was "HOME".',
    'It must be a host without a port; that was "a:1".',
    'It must be followed by a port from 1 to 65535, or by none; that was "http://a".',
    'It must be a port from 1 to 65535, or - for none; that was "0".',
    'It must be a port from 1 to 65535, or - for none; that was "65536".',
    'It must be a port from 1 to 65535, or - for none; that was "x".',
  ])
})

test('nobody is asked for ever', async () => {
  await assert.rejects(
    askForAnswers(bindings, () => Promise.resolve('*')),
    {
      code: 'options_invalid',
      message: /had no answer that can be used, 10 times$/,
    },
  )
})
