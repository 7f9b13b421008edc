import { createConnection } from 'mysql2/promise'

interface Env {
  DATABASE_HOST: string
  DATABASE_USER: string
  DATABASE_PASSWORD: string
}

export default {
  async fetch(request, env): Promise<Response> {
    const numbers = new URL(request.url).searchParams.getAll('n').map(Number)
    const connection = await createConnection({
      host: env.DATABASE_HOST,
      user: env.DATABASE_USER,
      password: env.DATABASE_PASSWORD,
      ssl: {}, // whoever opens the connection verifies the certificate
      disableEval: true, // Workers do not compile code at run time
    })
    try {
      const [rows] = await connection.query('SELECT ? + ? AS total, VERSION() AS version', [
        numbers[0] ?? 0,
        numbers[1] ?? 0,
      ])
      return Response.json(rows)
    } finally {
      await connection.end()
    }
  },
} satisfies ExportedHandler<Env>
