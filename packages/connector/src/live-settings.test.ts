import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConnectorSettings } from '@hawser/core'
import type { LogLevel } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { compileAddressRules } from './address-rules.ts'
import { FakeClock } from './fake-clock.ts'
import { LiveSettings } from './live-settings.ts'
import { Prober } from './prober.ts'

function bench(): { settings: LiveSettings; prober: Prober; log: CapturedLog; levels: unknown[] } {
  const levels: unknown[] = []
  const log = Object.assign(new CapturedLog(), { setLevel: (level: LogLevel | undefined) => levels.push(level) })
  const own = compileAddressRules({ allow: ['10.0.0.0/8'], deny: ['10.9.0.0/16'] })
  const dial = (): Promise<never> => Promise.reject(new Error('unused'))
  const prober = new Prober({ dial, clock: new FakeClock(), logger: log, onChange: () => {} })
  return { settings: new LiveSettings(own, log), prober, log, levels }
}

test('what is pushed can only forbid more than the connector was started with', () => {
  const { settings, prober } = bench()
  assert.equal(settings.rules('10.1.0.1'), undefined)
  settings.apply(
    { version: 1, settings: parseConnectorSettings({ allow: ['0.0.0.0/0'], deny: ['10.1.0.0/16'] }) },
    prober,
  )
  assert.match(settings.rules('10.1.0.1') ?? '', /denied by 10\.1\.0\.0\/16/)
  assert.match(settings.rules('10.9.0.1') ?? '', /denied by 10\.9\.0\.0\/16/)
  assert.match(settings.rules('11.0.0.1') ?? '', /not allowed/)
  assert.equal(settings.rules('10.2.0.1'), undefined)
  settings.apply({ version: 2, settings: parseConnectorSettings({ allow: ['10.2.0.0/16'] }) }, prober)
  assert.equal(settings.rules('10.2.0.1'), undefined)
  assert.match(settings.rules('10.1.0.1') ?? '', /not allowed/)
})

test('of several connections that bring the same version only the first counts, and an older one never', () => {
  const { settings, prober, log, levels } = bench()
  const of = (logLevel: LogLevel): ReturnType<typeof parseConnectorSettings> => parseConnectorSettings({ logLevel })
  assert.equal(settings.apply({ version: 2, settings: of('debug') }, prober), true)
  assert.equal(settings.apply({ version: 2, settings: of('debug') }, prober), false)
  assert.equal(settings.apply({ version: 1, settings: of('error') }, prober), false)
  assert.equal(settings.apply({ version: 3, settings: parseConnectorSettings({}) }, prober), true)
  assert.deepEqual(levels, ['debug', undefined])
  assert.equal(log.at('info').length, 2)
  assert.equal(settings.version, 3)
})

test('what cannot be followed is refused and changes nothing', () => {
  const { settings, prober, levels } = bench()
  const bad = { ...parseConnectorSettings({ logLevel: 'debug' }), deny: ['10.0.0.1/8'] }
  assert.throws(() => settings.apply({ version: 1, settings: bad }, prober), {
    code: 'options_invalid',
    message: /^deny\[0\]/,
  })
  assert.deepEqual([settings.version, levels], [0, []])
})
