import type { Histogram } from '@hawser/core'

/** The media type of {@link renderMetrics}: version 0.0.4 of the Prometheus text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** One value of a metric, told from its others by labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** One metric with all its values. A counter only ever grows while the process lives. */
export interface Metric {
  /** `[a-zA-Z_:][a-zA-Z0-9_:]*`; not checked, names are literals. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** One phrase with its unit. */
  readonly help: string
  readonly values: readonly Sample[] | Histogram
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', String.raw`\"`)
}

function renderNumber(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

function renderSample(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${renderNumber(value)}\n`
}

/** Buckets are cumulative in the format, and each alone in the histogram. */
function renderHistogram(name: string, { bounds, counts, sum }: Histogram): string {
  let total = 0
  let text = ''
  for (const [at, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
    total += counts[at] ?? 0
    text += renderSample(`${name}_bucket`, { labels: { le: renderNumber(bound) }, value: total })
  }
  return `${text}${renderSample(`${name}_sum`, { value: sum })}${renderSample(`${name}_count`, { value: total })}`
}

/**
 * Metrics in the text format that Prometheus and its likes scrape
 * (prometheus.io/docs/instrumenting/exposition_formats, "Text-based format").
 */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, type, help, values }) => {
      const samples =
        'bounds' in values ? renderHistogram(name, values) : values.map((sample) => renderSample(name, sample)).join('')
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${samples}`
    })
    .join('')
}

/** A metric that only grows. */
export function counter(name: string, help: string, value: number | readonly Sample[]): Metric {
  return { name, type: 'counter', help, values: typeof value === 'number' ? [{ value }] : value }
}

/** A metric that goes up and down. */
export function gauge(name: string, help: string, value: number | readonly Sample[]): Metric {
  return { name, type: 'gauge', help, values: typeof value === 'number' ? [{ value }] : value }
}

/** Totals by key, such as an error's code, as the samples of one metric. */
export function samplesBy(label: string, totals: ReadonlyMap<string, number>): readonly Sample[] {
  return Array.from(totals, ([key, value]) => ({ labels: { [label]: key }, value }))
}
