import { request } from 'node:http'
import type { WaitStrategy } from './wait.ts'

/** Ready when a GET on `path` answers with `status` (default: any of 200 to 299). */
export function httpAnswers(options: { readonly path: string; readonly status?: number }): WaitStrategy {
  const { path, status } = options
  return {
    what: `GET ${path} to answer ${status ?? '2xx'}`,
    ready: async (context) => {
      const answered = await getStatus(context, path)
      return status === undefined ? answered >= 200 && answered < 300 : answered === status
    },
  }
}

/** The status of a GET; 0 when nothing answered. */
export function getStatus(endpoint: { readonly host: string; readonly port: number }, path: string): Promise<number> {
  const { host, port } = endpoint
  return new Promise((resolve) => {
    const asked = request({ host, port, path, agent: false, timeout: 1_000 }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.once('timeout', () => asked.destroy())
    asked.once('error', () => resolve(0))
    asked.end()
  })
}
