import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { parseRequestUrl } from './request-url.ts'

test('request URL: scheme, authority, host, port and path', () => {
  const { origin, path } = parseRequestUrl('http://db.internal:8080/a/b?c=d')
  assert.deepEqual(origin, {
    tls: false,
    authority: 'db.internal:8080',
    host: 'db.internal',
    port: 8080,
    text: 'http://db.internal:8080',
  })
  assert.equal(path, '/a/b?c=d')
})

test('request URL: default ports, and the authority as written', () => {
  assert.equal(parseRequestUrl('http://a/').origin.port, 80)
  const secure = parseRequestUrl('HTTPS://A/').origin
  assert.deepEqual([secure.port, secure.tls, secure.authority], [443, true, 'A'])
})

test('request URL: a path is always there', () => {
  assert.equal(parseRequestUrl('http://a').path, '/')
  assert.equal(parseRequestUrl('http://a?b').path, '/?b')
  assert.equal(parseRequestUrl('http://a/b/?c/d').path, '/b/?c/d')
  assert.equal(parseRequestUrl('http://a?b=http://c/d').path, '/?b=http://c/d')
})

test('request URL: IPv6 literals', () => {
  assert.deepEqual(parseRequestUrl('https://[2001:db8::1]:8443/x').origin, {
    tls: true,
    authority: '[2001:db8::1]:8443',
    host: '2001:db8::1',
    port: 8443,
    text: 'https://[2001:db8::1]:8443',
  })
})

test('request URL: anything but an absolute http or https URL is refused', () => {
  for (const target of [
    '/',
    '*',
    '',
    'a:80',
    'ftp://a/',
    'ws://a/',
    'http:/a',
    'http://',
    'http:///a',
    'http://u:p@a/',
    'http://a\\b/',
    'http://u@a:1/',
  ]) {
    assert.throws(
      () => parseRequestUrl(target),
      (error) => HawserError.is(error, 'http_request_error'),
      target,
    )
  }
  for (const target of ['http://a:b/', 'http://a:70000/', 'http://[::1/', 'http://::1/', 'http://a:1:2/']) {
    assert.throws(
      () => parseRequestUrl(target),
      (error) => HawserError.is(error, 'address_invalid'),
      target,
    )
  }
})
