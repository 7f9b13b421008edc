export { API_BASE, createApi } from './app.ts'
export type { ApiConnection, ApiEnv, ApiOptions } from './resource.ts'
export { serveApi } from './serve.ts'
export type { ServeApiOptions, ServedApi } from './serve.ts'
