import { connectHttp, type LeasedServer, type SurrealHttp } from '@procref/lifecycle'
import { resolveService, type ServiceQuestion } from '../service.ts'
import { ServerCalls } from './server-calls.ts'

/** A lease for moving data: while `work` runs the server stays. */
export async function withServer<T>(
  question: ServiceQuestion,
  work: (calls: ServerCalls, server: LeasedServer) => Promise<T>,
): Promise<T> {
  await using http: SurrealHttp = await connectHttp(await resolveService(question))
  try {
    return await work(new ServerCalls(http, question.signal), http.lease.server)
  } catch (error) {
    // Whatever broke then broke for this reason.
    http.lease.lost.throwIfAborted()
    throw error
  }
}

/** Which server data came from, or went to. */
export interface ServerNamed {
  readonly driver: string
  /** `null`: not known. */
  readonly version: string | null
}

export function named({ driver, version }: LeasedServer): ServerNamed {
  return { driver, version: version ?? null }
}
