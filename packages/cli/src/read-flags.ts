import { resolve } from 'node:path'
import { HawserError, parseHostPort, Secret } from '@hawser/core'
import type { FlagSpec } from './command.ts'
import { DURATION_FORM, parseDuration } from './duration.ts'

/** Where flags come from besides the command line. */
export interface FlagSource {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** `dataDir` as `--data-dir`. */
export function optionName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** Every message of this file has this form: the label, what is allowed, what was given. */
function wrong(label: string, allowed: string, text: string, spec: FlagSpec): HawserError {
  const given = spec.secret === true ? 'something else' : JSON.stringify(text)
  return new HawserError('options_invalid', `${label}: expected ${allowed}, got ${given}`)
}

/** Whole numbers in decimal: no flag needs others, and `0x10` or `1e3` are likelier slips. */
function readNumber(text: string, label: string, spec: FlagSpec): number {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = spec
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  const range = spec.min === undefined && spec.max === undefined ? '' : ` of ${min} to ${max}`
  throw wrong(label, `a whole number${range}`, text, spec)
}

/** A base that paths are appended to, hence no query, no fragment and no slash at the end. */
function readUrl(text: string, label: string, spec: FlagSpec): string {
  const url = URL.parse(text)
  if (url !== null && (url.username !== '' || url.password !== '')) {
    throw new HawserError('options_invalid', `${label}: expected a URL without credentials in it`) // which stay unsaid
  }
  const plain = url !== null && url.search === '' && url.hash === ''
  if (!plain || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw wrong(label, 'an http or https URL without query or fragment', text, spec)
  }
  return url.href.replace(/\/+$/, '')
}

/** One value of one flag. */
function readOne(text: string, label: string, spec: FlagSpec, cwd: string): unknown {
  if (text === '') throw wrong(label, 'a value', text, spec)
  switch (spec.kind) {
    case 'string':
      return spec.secret === true ? new Secret(text) : text
    case 'number':
      return readNumber(text, label, spec)
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw wrong(label, 'true or false', text, spec)
      return text === 'true'
    case 'duration': {
      const ms = parseDuration(text)
      if (ms === undefined) throw wrong(label, DURATION_FORM, text, spec)
      return ms
    }
    case 'hostPort':
      return parseHostPort(text, label, spec.defaultPort)
    case 'path':
      return resolve(cwd, text)
    case 'url':
      return readUrl(text, label, spec)
    case 'choice': {
      const { choices = [] } = spec
      if (!choices.includes(text)) throw wrong(label, `one of ${choices.join(', ')}`, text, spec)
      return text
    }
    case 'cidr':
      return text // judged where it is used, by the code that compiles the list
  }
}

/** The command line wins over the environment, which wins over the default. */
function readFlag(key: string, spec: FlagSpec, raw: unknown, source: FlagSource): unknown {
  const option = optionName(key)
  if (spec.kind === 'boolean' && raw === true) return true
  const given = raw === true ? spec.implied : raw
  const texts = Array.isArray(given) ? given.map(String) : typeof given === 'string' ? [given] : []
  let label = option
  const fromEnv = spec.env === undefined ? undefined : source.env[spec.env]
  if (texts.length === 0 && spec.env !== undefined && fromEnv !== undefined && fromEnv !== '') {
    label = spec.env
    texts.push(...(spec.repeatable === true ? fromEnv.split(/[\s,]+/).filter((part) => part !== '') : [fromEnv]))
  }
  if (texts.length === 0 && spec.default !== undefined) texts.push(spec.default)
  const values = texts.map((text) => readOne(text, label, spec, source.cwd))
  if (spec.repeatable === true) return values
  if (values.length === 0 && spec.required === true) {
    const other = spec.env === undefined ? '' : ` (or set ${spec.env})`
    throw new HawserError('options_invalid', `${option} is required${other}`)
  }
  return spec.kind === 'boolean' ? (values.at(-1) ?? false) : values.at(-1)
}

/**
 * Turns what the command line and the environment say into the typed values of a command's flags.
 *
 * @param raw by flag key: the text, or the texts of a repeatable flag, or `true`
 * @throws {HawserError} `options_invalid` or `address_invalid`, naming the flag or the variable, what was given, what is
 *   allowed; never the text of a secret
 */
export function readFlags(
  specs: Readonly<Record<string, FlagSpec>>,
  raw: Readonly<Record<string, unknown>>,
  source: FlagSource,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(specs).map(([key, spec]) => [key, readFlag(key, spec, raw[key], source)]))
}
