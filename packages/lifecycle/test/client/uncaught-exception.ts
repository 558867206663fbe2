/** The next one, which is then nobody else's: not the test runner's either. */
export async function uncaughtException(): Promise<unknown> {
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  try {
    return await new Promise((resolve) => process.once('uncaughtException', resolve))
  } finally {
    for (const other of others) process.on('uncaughtException', other)
  }
}
