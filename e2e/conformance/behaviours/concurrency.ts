import { deepEqual, equal, ok } from '../support/assert.ts'
import type { Behaviour } from '../support/behaviour.ts'
import type { Socket } from '../support/socket.ts'
import { bytes, latin1, pattern, readExactly, readSome, sha256 } from '../support/streams.ts'

const LARGE = 8 * 1024 * 1024

async function exchange(socket: Socket, text: string): Promise<string> {
  const written = socket.writable.getWriter().write(text)
  const answer = await readExactly(socket.readable.getReader(), text.length)
  await written
  return latin1(answer)
}

/** Several connections, and much data (reference, S-185 and S-249). */
export const concurrency: readonly Behaviour[] = [
  {
    id: 'S-185a',
    title: 'four connections at a time do not mix',
    peer: 'echo',
    binding: true,
    async run(t) {
      const texts = ['red', 'green', 'blue', 'yellow']
      const answers = texts.map(async (text) => exchange(await t.open(), text.repeat(100)))
      deepEqual(
        await Promise.all(answers),
        texts.map((text) => text.repeat(100)),
      )
    },
  },
  {
    id: 'S-185b',
    title: 'there is no limit to the connections one request opens one after the other',
    peer: 'echo',
    binding: true,
    async run(t) {
      for (let turn = 0; turn < 40; turn += 1) {
        const socket = await t.open()
        equal(await exchange(socket, `turn ${turn}`), `turn ${turn}`)
        await socket.close()
      }
      equal(await t.peer.connections(), 40)
    },
  },
  {
    id: 'S-185c',
    title: 'there is no limit to the connections one request has open',
    peer: 'echo',
    async run(t) {
      const sockets = await Promise.all(Array.from({ length: 20 }, () => t.open()))
      const answers = await Promise.all(sockets.map((socket, index) => exchange(socket, `${index}`)))
      deepEqual(
        answers,
        sockets.map((_, index) => `${index}`),
      )
    },
  },
  {
    id: 'S-185d',
    title: 'many requests connect at a time',
    peer: 'echo',
    acts: {
      exchange: async (t, value) => exchange(await t.open(), String(value)),
    },
    async run(t) {
      const texts = Array.from({ length: 12 }, (_, index) => `request ${index}`)
      deepEqual(await Promise.all(texts.map((text) => t.invoke('exchange', text))), texts)
      equal(await t.peer.connections(), 12)
    },
  },
  {
    id: 'S-249a',
    title: 'megabytes there and back at a time arrive whole',
    peer: 'echo',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const data = pattern(LARGE)
      const written = socket.writable.getWriter().write(data)
      const echoed = await readExactly(socket.readable.getReader(), LARGE)
      await written
      equal(await sha256(echoed), await sha256(data))
    },
  },
  {
    id: 'S-249b',
    title: 'a peer that sends much waits while nobody reads, and loses nothing',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.sendPattern(LARGE)
      await t.settle()
      const data = await readExactly(socket.readable.getReader(), LARGE)
      equal(await sha256(data), await sha256(pattern(LARGE)))
    },
  },
  {
    id: 'S-249c',
    title: 'small messages go there and back one by one',
    peer: 'echo',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
      for (let turn = 0; turn < 100; turn += 1) {
        await writer.write(bytes(`ping ${turn}`))
        const { text } = await readSome(reader, `ping ${turn}`.length)
        equal(text, `ping ${turn}`)
      }
    },
  },
  {
    id: 'S-249d',
    title: 'a connection that is stuck does not hold another up',
    peer: 'paused',
    binding: true,
    async run(t) {
      const stuck = await t.open()
      await t.peer.accepted(0)
      void stuck.writable
        .getWriter()
        .write(new Uint8Array(LARGE * 2))
        .catch(() => {})
      await t.settle()
      const free = await t.open()
      await t.peer.accepted(1)
      await t.peer.resume(1)
      await free.writable.getWriter().write('through')
      equal((await t.peer.received(7, 1)).text, 'through')
      ok((await t.peer.report(0)).bytes === 0, 'the stuck one has been read')
    },
  },
]
