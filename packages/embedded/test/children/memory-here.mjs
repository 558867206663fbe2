// What JavaScript takes of the memory of this process, MiB.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MIB = 1024 * 1024

export function memoryHere() {
  const { heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage()
  return { heapMb: heapTotal / MIB, usedMb: heapUsed / MIB, externalMb: external / MIB, buffersMb: arrayBuffers / MIB }
}

/** All of it: what only the collection of something else frees is found by the next one. */
export async function collectGarbage() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  for (let times = 0; times < 3; times++) {
    collect()
    await nextTurn()
  }
}
