// Imports the package, says which of these modules came with it: surrealdb, ws.
import { register } from 'node:module'
import { say } from '@procref/testing/child'

// Hooks run in a thread of their own: what they log is printed when the main thread comes to it, maybe never; what they write is there.
const hook = `import { writeSync } from 'node:fs'
export async function resolve(name, context, next) {
  if (name === 'surrealdb' || name === 'ws') writeSync(1, 'loaded ' + name + '\\n')
  return await next(name, context)
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
await import(process.argv[2])
say('imported')
