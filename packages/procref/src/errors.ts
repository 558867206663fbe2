import { ProcrefError } from '@procref/core'

/** No backend has this name. */
export class UnknownBackendError extends ProcrefError {
  static readonly code = 'PROCREF_UNKNOWN_BACKEND'
  readonly backend: string
  readonly known: readonly string[]
  constructor(backend: string, known: readonly string[]) {
    super(
      UnknownBackendError.code,
      `There is no backend ${JSON.stringify(backend)} in this version. Ask for one of: ${known.join(', ')}; or for none, to get the best.`,
    )
    this.backend = backend
    this.known = known
  }
}

/** The package that measures is not installed. */
export class BenchNotInstalledError extends ProcrefError {
  static readonly code = 'PROCREF_BENCH_NOT_INSTALLED'
  constructor(options: { readonly cause: unknown }) {
    super(
      BenchNotInstalledError.code,
      'The benchmarks are a package of their own, which is not installed beside this one: npm install --save-dev @procref/bench',
      options,
    )
  }
}
