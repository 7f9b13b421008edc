import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CapturedLog } from '@hawser/testkit'
import { eventLogger } from './event-logger.ts'
import type { DevEvent } from './events.ts'

function captured() {
  const events: DevEvent[] = []
  const below = new CapturedLog()
  return { events, below, logger: eventLogger((event) => events.push(event), below) }
}

test('the console of the Worker comes whole', () => {
  const { events, logger } = captured()
  const worker = logger.child({ worker: 'shop' })
  worker.debug('a')
  worker.info('b')
  worker.error('c')
  assert.deepEqual(
    events.map((event) => event.event === 'log' && [event.level, event.source, event.message]),
    [
      ['debug', 'worker', 'a'],
      ['info', 'worker', 'b'],
      ['error', 'worker', 'c'],
    ],
  )
})

test('of others warnings and errors come, with their reason; the rest goes below', () => {
  const { events, below, logger } = captured()
  logger.warn('careful', { error: new Error('why') })
  logger.info('started')
  logger.child({ worker: 'shop' }).child({ source: 'workerd' }).info('up')
  logger.child({ source: 'edge' }).error('broken')
  assert.deepEqual(
    events.map((event) => event.event === 'log' && [event.source, event.message]),
    [
      ['hawser', 'careful: why'],
      ['edge', 'broken'],
    ],
  )
  assert.deepEqual(
    below.lines.map(({ level, message }) => [level, message]),
    [
      ['debug', 'started'],
      ['debug', 'up'],
    ],
  )
})
