import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { HawserError } from '@hawser/core'
import { API_BASE, createApi } from './app.ts'
import { apiFixture, codeOf, taken } from './fixture.ts'
import type { Fixture } from './fixture.ts'

/** The API, with its log at hand and a check that nothing stays open. */
function fixtureFor(t: TestContext): Promise<Fixture<CapturedLog>> {
  assertNoLeaks(t)
  return apiFixture(t, new CapturedLog())
}

test('the token at hand is verified', async (t) => {
  const { call, tokenId } = await fixtureFor(t)
  const answered = await call('GET', '/user/tokens/verify')
  assert.deepEqual(answered.body.result, { id: tokenId, status: 'active' })
})

test('the directory is the one account, on the first page', async (t) => {
  const { call, directory } = await fixtureFor(t)
  const first = await call('GET', '/accounts?page=1')
  const account = { id: directory.accountId, name: 'Hawser', type: 'standard', settings: {} }
  assert.deepEqual(first.body.result, [account])
  assert.deepEqual(first.body.result_info, { page: 1, per_page: 20, count: 1, total_count: 1, total_pages: 1 })
  assert.deepEqual((await call('GET', '/accounts?page=2')).body.result, [])
})

test('without a token nothing is told, not even what exists', async (t) => {
  const { app, account } = await fixtureFor(t)
  for (const path of ['/user/tokens/verify', '/accounts', `${account}/cfd_tunnel`, '/nothing', '']) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const answered = await taken(await app.request(API_BASE + path, { method }))
      assert.equal(codeOf(answered), '401/9106', `${method} ${path}`)
      assert.equal(answered.headers.get('www-authenticate'), 'Bearer')
    }
  }
})

test('a wrong token is refused however it is wrong, and not echoed', async (t) => {
  const { app, token, directory, tokenId } = await fixtureFor(t)
  const wrong = [
    `Bearer ${token.slice(0, -2)}xx`,
    `Bearer ${token}x`,
    `Basic ${token}`,
    token,
    'Bearer',
    'Bearer  ',
    '',
  ]
  for (const authorization of [...wrong, `Bearer ${'x'.repeat(10_000)}`, `Bearer ${token} ${token}`, 'Bearer é']) {
    const answered = await taken(await app.request(`${API_BASE}/accounts`, { headers: { authorization } }))
    assert.equal(codeOf(answered), '401/10000', authorization.slice(0, 80))
    assert.equal(answered.text.includes(token.slice(7, 40)), false)
  }
  await directory.apiTokens.revoke(tokenId)
  const headers = { authorization: `Bearer ${token}` }
  assert.equal(codeOf(await taken(await app.request(`${API_BASE}/accounts`, { headers }))), '401/10000')
})

test('the scheme may be in any case', async (t) => {
  const { app, token } = await fixtureFor(t)
  for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
    const headers = { authorization: `${scheme} ${token}` }
    assert.equal((await app.request(`${API_BASE}/accounts`, { headers })).status, 200)
  }
})

test('no other header is a way in', async (t) => {
  const { app, token } = await fixtureFor(t)
  const headers = {
    'x-auth-key': token,
    'x-auth-email': 'a@b.example',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-authorization': `Bearer ${token}`,
    cookie: `token=${token}`,
    'x-real-ip': '127.0.0.1',
  }
  const answered = await taken(await app.request(`${API_BASE}/accounts?access_token=${token}`, { headers }))
  assert.equal(codeOf(answered), '401/9106')
})

test('another account is forbidden, whatever is asked of it', async (t) => {
  const { call } = await fixtureFor(t)
  for (const id of ['0'.repeat(32), 'x', '%20', 'constructor']) {
    assert.equal(codeOf(await call('GET', `/accounts/${id}/cfd_tunnel`)), '403/9109', id)
    assert.equal(codeOf(await call('POST', `/accounts/${id}/cfd_tunnel`, { name: 'x' })), '403/9109', id)
    assert.equal(codeOf(await call('GET', `/accounts/${id}/nothing`)), '403/9109', id)
  }
})

test('unknown routes answer JSON as well', async (t) => {
  const { app, call, account } = await fixtureFor(t)
  for (const path of ['/nothing', `${account}/nothing`, `${account}/cfd_tunnel/a/b/c/d`, '/user/tokens', '']) {
    assert.equal(codeOf(await call('GET', path)), '404/7003', path)
  }
  for (const path of ['/', '/client', '/client/v5/accounts', '/favicon.ico', '/%ff', '/..%2f..%2fetc/passwd']) {
    assert.equal(codeOf(await taken(await app.request(path))), '404/7003', path)
  }
})

test('a method that is not served is named with those that are', async (t) => {
  const { call, account } = await fixtureFor(t)
  const refused = await call('PUT', `${account}/cfd_tunnel`, {})
  assert.equal(codeOf(refused), '405/10405')
  assert.equal(refused.headers.get('allow'), 'GET, POST')
  for (const method of ['OPTIONS', 'TRACE-ME', 'PROPFIND']) {
    assert.equal(codeOf(await call(method, '/accounts')), '405/10405', method)
  }
})

test('HEAD answers as GET does, without a body', async (t) => {
  const { app, token } = await fixtureFor(t)
  const response = await app.request(`${API_BASE}/accounts`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(response.status, 200)
  assert.equal(await response.text(), '')
})

test('one slash too many does no harm', async (t) => {
  const { app, token, account } = await fixtureFor(t)
  const headers = { authorization: `Bearer ${token}` }
  for (const path of [
    `/client/v4/${account}/cfd_tunnel`,
    `//client//v4${account}//cfd_tunnel/`,
    '/client/v4/accounts/',
  ]) {
    assert.equal((await app.request(`http://localhost${path}`, { headers })).status, 200, path)
  }
})

test('page numbers must be numbers', async (t) => {
  const { call } = await fixtureFor(t)
  for (const query of [
    'page=0',
    'page=-1',
    'page=1.5',
    'page=x',
    'page=',
    'page=99999999',
    'per_page=0',
    'per_page=1001',
  ]) {
    assert.equal(codeOf(await call('GET', `/accounts?${query}`)), '400/10400', query)
  }
  assert.equal((await call('GET', '/accounts?page=1000000&per_page=1000')).status, 200)
})

test('a fault inside is logged with its reason and answered without it', async (t) => {
  const { call, directory, log, account, token } = await fixtureFor(t)
  const id = (await directory.tunnels.create({ name: 'lab' })).id
  const broken = createApi({
    directory,
    tunnelToken: () => Promise.reject(new HawserError('storage_failed', 'disk /var/lib/hawser is full')),
    connections: () => {
      throw new TypeError('undefined is not a function')
    },
    logger: log,
  })
  const headers = { authorization: `Bearer ${token}` }
  for (const [rest, code] of [
    ['/token', '507/10507'],
    ['/connections', '500/10500'],
    ['', '500/10500'],
  ]) {
    const path = `${API_BASE}${account}/cfd_tunnel/${id}${rest}`
    const answered = await taken(await broken.request(path, { headers }))
    assert.equal(codeOf(answered), code)
    assert.equal(/\/var|undefined/.test(answered.text), false)
  }
  assert.deepEqual(
    log.at('error').map(({ fields }) => fields['reason']),
    ['disk /var/lib/hawser is full', 'undefined is not a function', 'undefined is not a function'],
  )
  assert.equal(JSON.stringify(log.lines).includes(token), false)
  assert.equal((await call('GET', '/accounts')).status, 200)
})

test('a directory that cannot be used is told as that, also when the token is checked', async (t) => {
  const { call, directory, log } = await fixtureFor(t)
  await directory.close()
  assert.equal(codeOf(await call('GET', '/accounts')), '507/10507')
  assert.equal(log.at('error').length, 1)
})
