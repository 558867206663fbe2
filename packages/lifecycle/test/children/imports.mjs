// Imports the package, says which of these modules came with it: surrealdb, ws.
import { register } from 'node:module'
import { say } from '@procref/testing/child'

const hook = `export async function resolve(name, context, next) {
  if (name === 'surrealdb' || name === 'ws') console.log('loaded ' + name)
  return await next(name, context)
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
await import(process.argv[2])
say('imported')
