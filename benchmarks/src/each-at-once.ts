/**
 * What `act` gives for each of `items`, in their order; at most `atOnce` of them go on at the same time. When one rejects none is begun
 * any more, and this rejects with it once all that were begun have ended.
 */
export async function eachAtOnce<T, R>(
  items: readonly T[],
  atOnce: number,
  act: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const waiting = [...items.entries()]
  let failure: { readonly reason: unknown } | undefined
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && failure === undefined; next = waiting.shift()) {
      const [index, item] = next
      try {
        results[index] = await act(item, index)
      } catch (reason) {
        failure ??= { reason }
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (failure !== undefined) throw failure.reason
  return results
}
