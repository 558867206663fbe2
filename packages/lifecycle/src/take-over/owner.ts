import { ProcrefError } from '@procref/core'
import type { Layout } from '../state/layout.ts'
import type { SurrealHttp } from '../surreal/connect-http.ts'
import { FolderPasswordError } from './errors.ts'
import type { Folder } from './folder.ts'

/** That it was let in says that the password is right; somebody who may only read could not do what the administrator has to. */
export async function checkOwner(http: SurrealHttp, folder: Pick<Folder, 'path'>, user: string): Promise<void> {
  const headers = { accept: 'application/json' }
  const answer = await http.request({ method: 'POST', path: '/sql', headers, body: 'INFO FOR ROOT' })
  let text = ''
  for await (const piece of answer.setEncoding('utf8')) text += piece as string
  const [info] = JSON.parse(text) as readonly {
    readonly result?: { readonly users?: Readonly<Record<string, string>> }
  }[]
  const definition = info?.result?.users?.[user]
  if (definition === undefined || !/\bROLES\b[^;]*\bOWNER\b/.test(definition)) {
    throw new FolderPasswordError(folder.path, user, 'is let in, but is no root user with the role OWNER of')
  }
}

/** In words about the folder: of the copy nobody knows. */
export function aboutFolder(error: unknown, folder: Pick<Folder, 'path'>, staged: Layout, user: string): unknown {
  const code = (error as { code?: unknown }).code
  if (code === 'PROCREF_CREDENTIALS_REFUSED') {
    const problem = 'is not let in with that password by'
    return new FolderPasswordError(folder.path, user, problem, { cause: error })
  }
  if (!(error instanceof ProcrefError) || !error.message.includes(staged.root)) return error
  const words = error.message.replaceAll(staged.database, folder.path).replaceAll(staged.engineJson, folder.path)
  return new ProcrefError(error.code, `${words}\nThis was a copy: nothing was changed.`, { cause: error.cause })
}
