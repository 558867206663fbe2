/**
 * What is larger comes from the system and goes back to it at once: less than a sign-in takes, and no less than that. With 4 MiB nothing large is at
 * the end of the common memory any more, so nobody looks whether that end is free, and what large messages took was kept.
 */
const MAPPED_BYTES = 16 * 1024 * 1024
/** So much may be free at the end of the other memory before it goes back as well: each way costs time. */
const TRIMMED_BYTES = 32 * 1024 * 1024

/**
 * The environment that tells the C library of a process with SurrealDB in it how to hand out memory. It has to be there when that process starts.
 *
 * A sign-in takes 19 MiB for a moment (Argon2). Once glibc has seen a piece of that size be given back it takes the next ones from its own memory
 * (mallopt(3), M_MMAP_THRESHOLD), of which each group of threads has a part: `surreal` 3.3.5 kept 19 MiB in one part after the other, more than
 * 100 MiB after 200 sign-ins. So the limit is told, which also keeps it from moving. A piece that is new from the system costs the kernel a fault for each of its pages, a tenth of a sign-in: huge pages
 * (glibc.malloc.hugetlb, glibc 2.35) take that back, where the system lets a program ask for them.
 *
 * What it does to memory and time: `pnpm soak allocator`. It holds for glibc only, huge pages from 2.35 on. Caller: a `GLIBC_TUNABLES` that is
 * there already is replaced by it. `more`: further glibc.malloc.* by name.
 */
export function allocatorEnvironment(more: Readonly<Record<string, number>> = {}): Readonly<Record<string, string>> {
  const malloc = { mmap_threshold: MAPPED_BYTES, trim_threshold: TRIMMED_BYTES, hugetlb: 1, ...more }
  return {
    GLIBC_TUNABLES: Object.entries(malloc)
      .map(([name, value]) => `glibc.malloc.${name}=${value}`)
      .join(':'),
  }
}
