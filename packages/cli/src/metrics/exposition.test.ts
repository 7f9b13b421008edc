import assert from 'node:assert/strict'
import test from 'node:test'
import { Histogram } from '@hawser/core'
import fc from 'fast-check'
import { counter, gauge, renderMetrics, samplesBy } from './exposition.ts'
import { parseExposition } from './test-exposition.ts'

test('each metric has its help and type before its samples', () => {
  const metrics = [
    counter('hawser_flows_total', 'Flows that ended', [
      { labels: { outcome: 'ok' }, value: 3 },
      { labels: { outcome: 'error' }, value: 1 },
    ]),
    gauge('up', 'Is it', 1),
  ]
  assert.equal(
    renderMetrics(metrics),
    '# HELP hawser_flows_total Flows that ended\n# TYPE hawser_flows_total counter\n' +
      'hawser_flows_total{outcome="ok"} 3\nhawser_flows_total{outcome="error"} 1\n' +
      '# HELP up Is it\n# TYPE up gauge\nup 1\n',
  )
})

test('a histogram is cumulative and ends with +Inf, sum and count', () => {
  const values = new Histogram([0.5, 1])
  for (const value of [0.1, 0.2, 0.7, 9]) values.observe(value)
  const text = renderMetrics([{ name: 'h', type: 'histogram', help: 'x', values }])
  assert.deepEqual(text.split('\n').slice(2, -1), [
    'h_bucket{le="0.5"} 2',
    'h_bucket{le="1"} 3',
    'h_bucket{le="+Inf"} 4',
    'h_sum 10',
    'h_count 4',
  ])
})

test('a metric without values keeps its help, so that it can be found before anything has happened', () => {
  assert.equal(renderMetrics([counter('c', 'x', [])]), '# HELP c x\n# TYPE c counter\n')
})

test('numbers that are no finite ones are spelled as the format wants them', () => {
  const text = renderMetrics([gauge('g', 'x', [{ value: Infinity }, { value: -Infinity }, { value: Number.NaN }])])
  assert.match(text, /g \+Inf\ng -Inf\ng NaN\n$/)
})

test('totals by key become labels', () => {
  assert.deepEqual(samplesBy('code', new Map([['dns_error', 2]])), [{ labels: { code: 'dns_error' }, value: 2 }])
})

test('whatever is in a label or a help text, a reader gets it back and no line is added', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.double(), (label, help, double) => {
      const value = double + 0 // the format has one zero
      const text = renderMetrics([gauge('g', help, [{ labels: { a: label, b: 'x' }, value }])])
      assert.equal(text.split('\n').length, 4)
      const [read] = parseExposition(text)
      assert.equal(read?.help, help)
      assert.deepEqual(read?.samples, [{ name: 'g', labels: { a: label, b: 'x' }, value }])
    }),
  )
})
