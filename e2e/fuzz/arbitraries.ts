/** Inputs that look right, nearly right, and not at all. */
import fc from 'fast-check'
import type { Arbitrary } from 'fast-check'

/** What has split, ended or disguised an address somewhere before. */
const HOSTILE = [
  ...'\0\t\n\r "#%&\'*+,-./:;<=>?@[\\]^_`{|}~\x7f\x80\xff'.split(''),
  '\r\n',
  '\r\n\r\n',
  '%00',
  '%2e',
  '%5b',
  '::',
  '..',
  '.',
  '。',
  '．',
  '１',
  '①',
  'ß',
  '\u00ad',
  '\u200b',
  '\ud800',
  'xn--',
  '0x',
  '.hawser',
  ':80',
  ':0',
  '00',
]

type Edit = (text: string) => string

/** A place in a text of any length. */
const place = fc.integer({ min: 0, max: 999 }).map((thousandths) => thousandths / 1_000)

function at(text: string, where: number): number {
  return Math.floor(where * text.length)
}

const edit: Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.constantFrom(...HOSTILE)).map(([where, piece]): Edit => (text) => {
    const index = at(text, where)
    return text.slice(0, index) + piece + text.slice(index)
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 3 })).map(([where, count]): Edit => (text) => {
    const index = at(text, where)
    return text.slice(0, index) + text.slice(index + count)
  }),
  fc.tuple(place, fc.constantFrom(...HOSTILE)).map(([where, piece]): Edit => (text) => {
    const index = at(text, where)
    return text.slice(0, index) + piece + text.slice(index + 1)
  }),
  fc.tuple(place, place).map(
    ([from, to]): Edit =>
      (text) =>
        text + text.slice(at(text, from), at(text, to)),
  ),
  fc.constantFrom<Edit>(
    (text) => text.toUpperCase(),
    (text) => text.toLowerCase(),
    (text) => text.replaceAll('\r\n', '\n'),
    (text) => text.replace('\r\n', '\n'),
    (text) => text.trim(),
  ),
  place.map((where): Edit => (text) => {
    const index = at(text, where)
    return text.slice(0, index) + (text[index] ?? '').toUpperCase() + text.slice(index + 1)
  }),
  fc.tuple(place, fc.integer({ min: 20, max: 300 })).map(([where, count]): Edit => (text) => {
    const index = at(text, where)
    return text.slice(0, index) + (text[index] ?? 'a').repeat(count) + text.slice(index)
  }),
)

/** Texts of a grammar, some of them damaged in up to three places. */
export function damaged(texts: Arbitrary<string>): Arbitrary<string> {
  return fc
    .tuple(texts, fc.array(edit, { maxLength: 3 }))
    .map(([text, edits]) => edits.reduce((done, change) => change(done), text))
}

/** One part of an IPv4 address as inet_aton reads it, and beyond. */
const ipv4Part = fc.oneof(
  fc.nat(300).map(String),
  fc.nat(300).map((value) => `0${value.toString(8)}`),
  fc.nat(70_000).map((value) => `0x${value.toString(16)}`),
  fc.nat(0xffff_ffff).map(String),
  fc.constantFrom('08', '0x', '', '0', '00', '4294967296', '1e1'),
)

/** One of each kind that policies treat apart. */
const SPECIAL_IPS = [
  '127.0.0.1 10.0.0.1 169.254.169.254 192.168.1.1 100.64.0.1 0.0.0.0 255.255.255.255 224.0.0.1 8.8.8.8 1.1.1.1 172.16.0.1',
  '172.32.0.1 198.18.0.1 192.0.2.1 203.0.113.9 ::1 :: fe80::1 fc00::1 ff02::1 2001:db8::1 2606:4700::1',
  '64:ff9b::7f00:1 2002:7f00:1::',
].flatMap((line) => line.split(' '))
const specialIp = fc.constantFrom(...SPECIAL_IPS)

const word = fc.nat(0xffff).map((value) => value.toString(16))

/** IPv6 with an IPv4 address inside, in the places where standards put one. */
const carriers = fc
  .tuple(
    fc.constantFrom('::ffff:', '::', '64:ff9b::', '2002:', '::ffff:0:', '2001:0:', 'fe80::5efe:'),
    word,
    word,
    fc.ipV4(),
  )
  .chain(([prefix, high, low, ip]) =>
    fc.constantFrom(`${prefix}${high}:${low}`, `${prefix}${ip}`, `${prefix}${high}:${low}::`),
  )

/** Address literals in every spelling. */
export const literals: Arbitrary<string> = fc.oneof(
  fc.array(ipv4Part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.')),
  fc.ipV4(),
  fc.ipV6(),
  specialIp,
  carriers,
)

const label = fc.string({ unit: fc.constantFrom(...'abcxyzABC0129-_'.split('')), minLength: 1, maxLength: 8 })

/** Hosts: names, and literals with and without brackets. */
export const hosts: Arbitrary<string> = fc.oneof(
  fc.domain(),
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
  literals,
  literals.map((literal) => `[${literal}]`),
  fc.tuple(fc.domain(), literals).map(([name, literal]) => `${name}.${literal}`),
)

export const ports: Arbitrary<string> = fc.oneof(
  fc.nat(65_535).map(String),
  fc.constantFrom('0', '00', '080', '65535', '65536', '99999', '100000', '', '-1', '+1', '1e3', '0x50', ' 80', '8 0'),
)
