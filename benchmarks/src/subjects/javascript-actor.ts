import { fileURLToPath } from 'node:url'
import type { PreparedSubject } from '../subject.ts'

const ACTOR = fileURLToPath(new URL('../actor/main.js', import.meta.url))

/** A subject whose pool is a module in `pools/`, run by the actor in JavaScript. */
export function javascriptActor(
  pool: string,
  more: { readonly version?: string; readonly env?: Readonly<Record<string, string>> } = {},
): PreparedSubject {
  const module = new URL(`pools/${pool}.js`, import.meta.url).href
  return {
    ...(more.version === undefined ? {} : { version: more.version }),
    command: (dir, slots) => ({
      file: process.execPath,
      args: [ACTOR, module, dir, String(slots)],
      ...(more.env === undefined ? {} : { env: more.env }),
    }),
    async [Symbol.asyncDispose]() {},
  }
}
