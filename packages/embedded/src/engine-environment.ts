import { availableParallelism } from 'node:os'
import { allocatorEnvironment } from '@procref/lifecycle'

/**
 * Sets what the engine reads from the environment, before it is loaded. Meant for a process of its own (the guardian).
 *
 * `SURREAL_*` set for another server must not change this one. And the engine's threads get a stack that 4,000 nested
 * expressions fit in (see query-guard.ts): with the 2 MiB of other Rust programs a client's query could overflow it, which
 * ends the process. Only what is used of it takes memory.
 *
 * And there are more threads than processors, which is what the engine would take: a commit that waits for the disk, a list that is
 * sorted or a large result that is encoded keeps a thread to itself, and one for each processor would keep everybody else waiting.
 */
export function prepareEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('SURREAL_')) delete process.env[name]
  }
  process.env.RUST_MIN_STACK = String(STACK_BYTES)
  process.env.TOKIO_WORKER_THREADS = String(Math.max(MIN_THREADS, 2 * availableParallelism()))
}

const STACK_BYTES = 64 * 1024 * 1024
const MIN_THREADS = 8

/** So many pieces of a size a thread keeps at hand, of each of 64 sizes up to a kilobyte. */
const AT_HAND = 300

/**
 * What the C library has to be told when the process starts. The engine makes its table of functions anew for every call, some
 * thousand small pieces of memory. glibc keeps seven of each size at hand in a thread and goes the long way for the others: with
 * some hundred a small query takes a sixth less of the processor. No more of them: a thousand make no query faster, and the threads filled up
 * with pieces of every size over some hundred clients that came and went, 64 kB a client, 40 MB in the end. (Only of the small sizes, a thousand
 * took nothing; but then a query that works with larger ones took half as long again.) And what one thread has given back another one uses only if they
 * share an arena: with several, each large request of a client cost the process half a gigabyte for good.
 *
 * And what every process with SurrealDB in it is told, see `allocatorEnvironment`: without it a guardian that clients come to and leave grew by some 19 MiB
 * a client, to 700 MB within a quarter of an hour.
 */
export const ALLOCATOR_SETTINGS: Readonly<Record<string, string>> = allocatorEnvironment({
  tcache_count: AT_HAND,
  arena_max: 1,
})
