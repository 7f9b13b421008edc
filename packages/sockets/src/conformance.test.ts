import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createAuthority } from '@hawser/testkit'
import { BEHAVIOURS } from './conformance/index.ts'
import { NodeHarness } from './conformance/node-harness.ts'
import { makeCertificates } from './conformance/peer.ts'
import type { PeerCertificates } from './conformance/peer.ts'
import { createConnect } from './connect.ts'
import type { Connect } from './connect.ts'

let certificates: PeerCertificates
let connect: Connect

before(async () => {
  const { caPem, ...made } = await makeCertificates(createAuthority)
  certificates = made
  connect = createConnect({ tls: [{ match: '*', ca: caPem }] })
})

for (const { title, run, expect } of BEHAVIOURS) {
  // The harness itself closes every socket of a behaviour, so there is no leak that could be looked for.
  test(title, { timeout: 20_000 }, async () => {
    await using harness = new NodeHarness(certificates, connect)
    // As JSON, because that is how the answer comes out of a Worker.
    assert.deepEqual(JSON.parse(JSON.stringify((await run(harness)) ?? 'undefined')), expect)
  })
}

test('every behaviour has a number and a title of its own', () => {
  const titles = BEHAVIOURS.map(({ title }) => title)
  assert.deepEqual(
    titles.filter((title) => !/^S-\d{3} /.test(title)),
    [],
  )
  assert.deepEqual(
    titles.filter((title, index) => titles.indexOf(title) !== index),
    [],
  )
})
