/** For `assert.rejects`: the error's `code` is this one. */
export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === code) return true
    throw new Error(`expected an error with the code ${code}, not ${String(error)}`, { cause: error })
  }
}

/** For `assert.rejects`: an `Error` whose message names `path`, so that people can find what is wrong. */
export function names(path: string): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof Error && error.message.includes(path)) return true
    throw new Error(`expected an error that names ${path}, not ${String(error)}`, { cause: error })
  }
}
