import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { ADDRESS_BITS, formatIp } from './ip-address.ts'
import type { IpAddress } from './ip-address.ts'
import { PrefixTableBuilder } from './prefix-table.ts'
import type { Cidr, PrefixTable } from './prefix-table.ts'

/** Few distinct values, so that blocks nest and addresses hit them. */
const word = fc.oneof(fc.constantFrom(0, 1, 0x0a00_0000, 0x0a01_0000, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff))
const address: fc.Arbitrary<IpAddress> = fc.oneof(
  word.map((only) => ({ family: 4 as const, words: [only] })),
  fc.array(word, { minLength: 4, maxLength: 4 }).map((words) => ({ family: 6 as const, words })),
)
const cidr: fc.Arbitrary<Cidr> = fc
  .tuple(address, fc.nat(1000))
  .map(([at, share]) => ({ address: at, prefix: Math.round((share / 1000) * ADDRESS_BITS[at.family]) }))

function tableOf<Value>(...entries: readonly (readonly [Cidr, Value])[]): PrefixTable<Value> {
  const builder = new PrefixTableBuilder<Value>()
  for (const [block, value] of entries) builder.set(block, value)
  return builder.build()
}

function bits({ words }: IpAddress): string {
  return words.map((each) => each.toString(2).padStart(32, '0')).join('')
}

function holds(block: Cidr, candidate: IpAddress): boolean {
  if (block.address.family !== candidate.family) return false
  return bits(block.address).slice(0, block.prefix) === bits(candidate).slice(0, block.prefix)
}

/** Many small blocks in few places, so that the tables of the tests are deep. */
const blocks = fc.array(fc.tuple(cidr, fc.nat(5)), { maxLength: 40 })
const asked = fc.array(address, { minLength: 1, maxLength: 20 })

/** First and last address of a block, and those beside it: where a table that cuts at the wrong place is found out. */
function edgesOf({ address: { family, words }, prefix }: Cidr): IpAddress[] {
  const size = 1n << BigInt(ADDRESS_BITS[family] - prefix)
  const whole = 1n << BigInt(ADDRESS_BITS[family])
  const first = (words.reduce((sum, each) => (sum << 32n) | BigInt(each), 0n) / size) * size
  return [first - 1n, first, first + size - 1n, first + size].map((value) => {
    const inside = (value + whole) % whole
    return {
      family,
      words: words.map((_, at) => Number((inside >> BigInt(32 * (words.length - 1 - at))) & 0xffff_ffffn)),
    }
  })
}

test('a look-up finds the longest block that holds the address, and of equals the last one', () => {
  fc.assert(
    fc.property(blocks, asked, (entries, others) => {
      const table = tableOf(...entries)
      for (const candidate of [...others, ...entries.flatMap(([block]) => edgesOf(block))]) {
        const holding = entries.filter(([block]) => holds(block, candidate))
        const prefix = Math.max(...holding.map(([block]) => block.prefix))
        const best = holding.findLast(([block]) => block.prefix === prefix)
        const expected = best === undefined ? undefined : { value: best[1], prefix }
        assert.deepEqual(table.match(candidate), expected, formatIp(candidate))
        assert.equal(table.find(candidate), expected?.value)
      }
    }),
    { numRuns: 500 },
  )
})

test('membership agrees with net.BlockList', () => {
  fc.assert(
    fc.property(blocks, asked, (entries, others) => {
      const list = entries.map(([block]) => block).filter(({ prefix }) => prefix > 0)
      const table = tableOf(...list.map((block) => [block, true] as const))
      // One list per family: BlockList looks IPv4 up as mapped IPv6 and the other way round, a table does neither.
      const oracles = { 4: new BlockList(), 6: new BlockList() }
      for (const { address: start, prefix } of list) {
        oracles[start.family].addSubnet(formatIp(start), prefix, `ipv${start.family}`)
      }
      for (const candidate of others) {
        const expected = oracles[candidate.family].check(formatIp(candidate), `ipv${candidate.family}`)
        assert.equal(table.find(candidate) === true, expected, formatIp(candidate))
      }
    }),
  )
})

test('the families do not touch, even where the bits are the same', () => {
  const four: Cidr = { address: { family: 4, words: [0] }, prefix: 0 }
  const six: Cidr = { address: { family: 6, words: [0, 0, 0, 0] }, prefix: 0 }
  assert.equal(tableOf([four, 'four']).find(six.address), undefined)
  const both = tableOf([four, 'four'], [six, 'six'])
  assert.equal(both.find({ family: 4, words: [0xffff_ffff] }), 'four')
  assert.equal(both.find({ family: 6, words: [1, 2, 3, 0xffff_ffff] }), 'six')
})

test('an empty table holds nothing', () => {
  assert.equal(tableOf<string>().find({ family: 4, words: [0] }), undefined)
  assert.equal(tableOf<string>().match({ family: 6, words: [0, 0, 0, 0xffff_ffff] }), undefined)
})

test('a builder may go on after it has built, and what it built stays as it was', () => {
  const builder = new PrefixTableBuilder<string>()
  const block: Cidr = { address: { family: 4, words: [0x0a00_0000] }, prefix: 8 }
  builder.set(block, 'first')
  const before = builder.build()
  builder.set(block, 'second')
  assert.equal(before.find({ family: 4, words: [0x0aff_ffff] }), 'first')
  assert.equal(builder.build().find({ family: 4, words: [0x0aff_ffff] }), 'second')
})

test('ten thousand blocks of each family are found again, from the first to the last address', () => {
  const builder = new PrefixTableBuilder<number>()
  for (let at = 0; at < 10_000; at += 1) {
    builder.set({ address: { family: 4, words: [(at << 16) >>> 0] }, prefix: 24 }, at)
    builder.set({ address: { family: 6, words: [0xfd00_0000, at, 0, 0] }, prefix: 64 }, at)
  }
  const table = builder.build()
  for (let at = 0; at < 10_000; at += 7) {
    const start = (at << 16) >>> 0
    assert.deepEqual(
      [start, start + 255, start + 256].map((each) => table.find({ family: 4, words: [each] })),
      [at, at, undefined],
    )
    assert.deepEqual(table.match({ family: 6, words: [0xfd00_0000, at, 0xffff_ffff, 1] }), { value: at, prefix: 64 })
  }
})
