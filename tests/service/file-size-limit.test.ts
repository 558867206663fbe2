import { surrealBinary } from '@procref/testing'
import { describe, expect, test } from 'vitest'
import { clientsOf, connectedWithin, DRIVERS, nothingIsLeft, serviceDir } from './service.ts'

const TIME_LIMIT = { timeout: 180_000 }

/** A guardian has the limits of the program that launches it. */
function limitedTo(bytes: number): readonly string[] {
  return ['prlimit', `--fsize=${bytes}:${bytes}`, process.execPath]
}

describe.runIf(process.platform === 'linux')('a limit on the size of files (`ulimit -f`)', TIME_LIMIT, () => {
  test.each(DRIVERS)(
    'in which not even our own files fit is told as what it is, with the file (%s)',
    async (driver) => {
      const dir = serviceDir()
      const client = clientsOf(driver)(dir, { guardianCommand: limitedTo(512) })
      await expect(connectedWithin(90_000, client)).rejects.toThrow(
        new RegExp(`Could not use ${dir}/\\S+ \\(EFBIG\\)\\. .*ulimit -f.*PROCREF_FILE_TOO_LARGE`, 's'),
      )
      await nothingIsLeft(dir)
    },
  )

  // What it writes first is larger.
  test.runIf(surrealBinary() !== undefined)('by which the system ends the server is named', async () => {
    const dir = serviceDir()
    const client = clientsOf('binary')(dir, { guardianCommand: limitedTo(2_048) })
    await expect(connectedWithin(90_000, client)).rejects.toThrow(
      /signal SIGXFSZ, .*limit on the size of files: raise it, `ulimit -f`.*PROCREF_SERVER_EXITED/s,
    )
    await nothingIsLeft(dir)
  })
})
