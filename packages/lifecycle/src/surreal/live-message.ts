import { LIVE_ACTIONS, type LiveMessage, RecordId, Uuid } from 'surrealdb'

type Change = Extract<LiveMessage, { readonly value: Record<string, unknown> }>

/** What a server sends without having been asked: a change that a live query sees, or that query's end. */
export function liveMessage(result: unknown): LiveMessage | undefined {
  if (typeof result !== 'object' || result === null) return undefined
  const { id, action, record, result: value } = result as Record<string, unknown>
  if (!(id instanceof Uuid)) return undefined
  if (action === 'KILLED') return { queryId: id, action }
  if (!isChange(action) || !(record instanceof RecordId) || typeof value !== 'object' || value === null)
    return undefined
  return { queryId: id, action, recordId: record, value: value as Record<string, unknown> }
}

function isChange(action: unknown): action is Change['action'] {
  return action !== 'KILLED' && (LIVE_ACTIONS as readonly unknown[]).includes(action)
}
