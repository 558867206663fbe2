import { findSurreal, surrealBinary } from '@procref/lifecycle'
import type { Check, Examination, Finding } from '../check.ts'
import { attempt } from '../look-around.ts'
import { messageOf } from '../message.ts'

/** Which SurrealDB a first client would start: an executable, else the engine that comes with procref. */
export const serverProgram: Check = {
  id: 'server-program',
  looksAt: 'the surreal executable, or the embedded engine',
  where: 'anywhere',
  async examine() {
    const named = process.env.PROCREF_SURREAL_BIN || undefined
    const file = await attempt(() => findSurreal(named))
    if ('value' in file) return await examineExecutable(file.value)
    if (named !== undefined) return { found: 'none', findings: [wrongName(named, messageOf(file.error))] }
    const embedded = await attempt(embeddedVersion)
    if ('value' in embedded) return { found: `the embedded engine, SurrealDB ${embedded.value}`, findings: [] }
    return { found: 'none', findings: [none(messageOf(file.error), messageOf(embedded.error))] }
  },
}

async function examineExecutable(file: string): Promise<Examination> {
  const engine = await attempt(() => surrealBinary({ path: file }).engine?.())
  if ('value' in engine) return { found: `${file}, SurrealDB ${engine.value?.version ?? ''}`.trim(), findings: [] }
  return {
    found: `${file}, which does not work`,
    findings: [
      {
        code: 'executable-broken',
        severity: 'problem',
        path: file,
        found: `${file} cannot be used: ${messageOf(engine.error)}`,
        why: 'It is what a first client would start, because it is found first.',
        remedy: `Run \`${file} version\` to see what is wrong; install SurrealDB again, or name another executable in PROCREF_SURREAL_BIN.`,
      },
    ],
  }
}

/** Loads no engine: only its file is looked for. */
async function embeddedVersion(): Promise<string> {
  const { embeddedSurreal } = await import('@procref/embedded')
  const driver = embeddedSurreal()
  await driver.check?.()
  return (await driver.engine?.())?.version ?? ''
}

function wrongName(path: string, message: string): Finding {
  return {
    code: 'executable-missing',
    severity: 'problem',
    path,
    found: `PROCREF_SURREAL_BIN names ${path}, which cannot be used: ${message}`,
    why: 'A first client is refused: no other server than the one you meant is started.',
    remedy: 'Correct PROCREF_SURREAL_BIN, or unset it.',
  }
}

function none(executable: string, embedded: string): Finding {
  return {
    code: 'no-server-program',
    severity: 'problem',
    found: `There is no SurrealDB to start. ${executable} ${embedded}`,
    why: 'Who connects first starts the server, and there is none to start.',
    remedy: 'Install SurrealDB (https://surrealdb.com/install), or @surrealdb/node for this platform.',
  }
}
