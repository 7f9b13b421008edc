import { Client } from 'pg'

interface Env {
  DATABASE_URL: string
}

interface Order {
  readonly item: string
  readonly amount: number
}

/** Runs `work` with a connection of this request's own: sockets cannot be shared by requests. */
async function withDatabase<T>(env: Env, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: env.DATABASE_URL })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function addOrder(env: Env, { item, amount }: Order): Promise<Order | undefined> {
  return withDatabase(env, async (client) => {
    await client.query('CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY, item text, amount int)')
    await client.query('BEGIN')
    const { rows } = await client.query<Order>(
      'INSERT INTO orders (item, amount) VALUES ($1, $2) RETURNING item, amount',
      [item, amount],
    )
    await client.query('COMMIT')
    return rows[0]
  })
}

function listOrders(env: Env): Promise<Order[]> {
  return withDatabase(env, async (client) => {
    const { rows } = await client.query<Order>('SELECT item, amount FROM orders ORDER BY id')
    return rows
  })
}

export default {
  async fetch(request, env): Promise<Response> {
    if (request.method === 'POST') {
      const order = await request.json<Order>()
      return Response.json(await addOrder(env, order), { status: 201 })
    }
    return Response.json(await listOrders(env))
  },
} satisfies ExportedHandler<Env>
