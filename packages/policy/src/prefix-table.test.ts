import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { ADDRESS_BITS, formatIp } from './ip-address.ts'
import type { IpAddress } from './ip-address.ts'
import { PrefixTable } from './prefix-table.ts'
import type { Cidr } from './prefix-table.ts'

/** Few distinct values, so that blocks nest and addresses hit them. */
const word = fc.oneof(fc.constantFrom(0, 1, 0x0a00_0000, 0x0a01_0000, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff))
const address: fc.Arbitrary<IpAddress> = fc.oneof(
  word.map((only) => ({ family: 4 as const, words: [only] })),
  fc.array(word, { minLength: 4, maxLength: 4 }).map((words) => ({ family: 6 as const, words })),
)
const cidr: fc.Arbitrary<Cidr> = fc
  .tuple(address, fc.nat(1000))
  .map(([at, share]) => ({ address: at, prefix: Math.round((share / 1000) * ADDRESS_BITS[at.family]) }))

function bits({ words }: IpAddress): string {
  return words.map((each) => each.toString(2).padStart(32, '0')).join('')
}

function holds(block: Cidr, candidate: IpAddress): boolean {
  if (block.address.family !== candidate.family) return false
  return bits(block.address).slice(0, block.prefix) === bits(candidate).slice(0, block.prefix)
}

test('a look-up finds the longest block that holds the address', () => {
  fc.assert(
    fc.property(
      fc.array(cidr, { maxLength: 20 }),
      fc.array(address, { minLength: 1, maxLength: 20 }),
      (blocks, asked) => {
        const table = new PrefixTable<number>()
        for (const block of blocks) table.set(block, block.prefix)
        const candidates = [...asked, ...blocks.map((block) => block.address)]
        for (const candidate of candidates) {
          const lengths = blocks.filter((block) => holds(block, candidate)).map((block) => block.prefix)
          assert.equal(table.find(candidate), lengths.length === 0 ? undefined : Math.max(...lengths))
        }
      },
    ),
  )
})

test('membership agrees with net.BlockList', () => {
  fc.assert(
    fc.property(
      fc.array(cidr, { maxLength: 20 }),
      fc.array(address, { minLength: 1, maxLength: 20 }),
      (blocks, asked) => {
        const table = new PrefixTable<true>()
        // One list per family: BlockList looks IPv4 up as mapped IPv6 and the other way round, a table does neither.
        const oracles = { 4: new BlockList(), 6: new BlockList() }
        for (const block of blocks.filter((each) => each.prefix > 0)) {
          const { family } = block.address
          table.set(block, true)
          oracles[family].addSubnet(formatIp(block.address), block.prefix, `ipv${family}`)
        }
        for (const candidate of asked) {
          const expected = oracles[candidate.family].check(formatIp(candidate), `ipv${candidate.family}`)
          assert.equal(table.find(candidate) === true, expected, formatIp(candidate))
        }
      },
    ),
  )
})

test('the families do not touch, even where the bits are the same', () => {
  const table = new PrefixTable<string>()
  table.set({ address: { family: 4, words: [0] }, prefix: 0 }, 'four')
  assert.equal(table.find({ family: 6, words: [0, 0, 0, 0] }), undefined)
  table.set({ address: { family: 6, words: [0, 0, 0, 0] }, prefix: 0 }, 'six')
  assert.equal(table.find({ family: 4, words: [0] }), 'four')
  assert.equal(table.find({ family: 6, words: [1, 2, 3, 4] }), 'six')
})

test('a later value replaces the earlier one of the same block', () => {
  const table = new PrefixTable<string>()
  const block: Cidr = { address: { family: 4, words: [0x0a00_0000] }, prefix: 8 }
  table.set(block, 'first')
  table.set(block, 'second')
  assert.equal(table.find({ family: 4, words: [0x0aff_ffff] }), 'second')
})
