import { DurableObject } from 'cloudflare:workers'

export interface FeedEnv {
  EXCHANGE: Fetcher
  TICKER: string
  CHECK_MS: string
}

/** What is known of one symbol, and how often the feed had to be connected anew. */
export interface Quote {
  readonly symbol: string
  readonly price: number | null
  readonly connections: number
}

/**
 * Holds the one connection to a price ticker that all requests share; a plain Worker cannot, its sockets end with the request.
 * The ticker sends lines `SYMBOL price`. An alarm looks whether the connection still stands, also after the object has been
 * evicted and is made anew: prices are kept in storage for that.
 */
export class Feed extends DurableObject<FeedEnv> {
  #socket: Socket | undefined

  /** Connects with the first question. */
  async price(symbol: string): Promise<Quote> {
    await this.#connect()
    if ((await this.ctx.storage.getAlarm()) === null) await this.#checkLater()
    const price = (await this.ctx.storage.get<number>(`price:${symbol}`)) ?? null
    return { symbol, price, connections: await this.#connections() }
  }

  override async alarm(): Promise<void> {
    try {
      await this.#connect()
    } finally {
      await this.#checkLater() // the ticker may be back by then
    }
  }

  async #checkLater(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + Number(this.env.CHECK_MS))
  }

  async #connections(): Promise<number> {
    return (await this.ctx.storage.get<number>('connections')) ?? 0
  }

  async #connect(): Promise<void> {
    if (this.#socket !== undefined) return
    const socket = await this.env.EXCHANGE.connect(this.env.TICKER)
    if (this.#socket !== undefined) return socket.close() // somebody else was faster
    this.#socket = socket
    await this.ctx.storage.put('connections', (await this.#connections()) + 1)
    this.ctx.waitUntil(this.#follow(socket))
  }

  /** Until the ticker hangs up. */
  async #follow(socket: Socket): Promise<void> {
    let rest = ''
    try {
      for await (const text of socket.readable.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) await this.#keep(line)
      }
    } catch (error) {
      console.warn('the ticker is gone:', String(error))
    } finally {
      this.#socket = undefined
      await socket.close()
    }
  }

  async #keep(line: string): Promise<void> {
    const [symbol, price] = line.split(' ')
    if (symbol !== undefined && price !== undefined) await this.ctx.storage.put(`price:${symbol}`, Number(price))
  }
}
