import type { Message, RawClient } from './raw-client.ts'
import { PASSWORD, USER } from './server.ts'

/** What one server answers, in a form that can be compared with another's. */
export interface ProtocolCase {
  readonly name: string
  readonly run: (client: RawClient) => Promise<unknown>
}

export type CallSpec = readonly [method: string, params?: readonly unknown[], more?: object]

/** One case for each list of calls: made one after the other on a connection of its own, and every answer counts. */
export function calls(name: string, ...list: readonly CallSpec[]): ProtocolCase {
  return {
    name,
    run: async (client) => {
      const answers: unknown[] = []
      for (const [method, params, more] of list) answers.push(withoutId(await client.call(method, params, more)))
      return answers
    },
  }
}

export function withoutId({ id: _, ...rest }: Message): unknown {
  return rest
}

export const signIn = ['signin', [{ user: USER, pass: PASSWORD }]] as const
export const useMain = ['use', ['main', 'main']] as const

/** Without the ids that each server makes up, which no two live queries share. */
export function plainly(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, item) => (item === undefined ? 'NONE' : item)) ?? 'NONE'
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'an id')
    .replace(/"time":"[^"]*"|"eyJ[^"]*"/g, '')
}
