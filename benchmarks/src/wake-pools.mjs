const BACKENDS = {
  native: async () => (await import('@procref/native')).native(),
  flock: async () => (await import('@procref/flock')).flock(),
}

/** Pools on one directory, independent of each other as those of different programs are. */
export async function poolsOf(name, dir, count, slots) {
  const backend = await BACKENDS[name]()
  const pools = []
  for (let n = 0; n < count; n++) pools.push(await backend.open(dir, { slots }))
  return pools
}
