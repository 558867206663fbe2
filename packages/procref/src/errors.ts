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

/** The directory was made with another value, and cannot follow this setting. */
export class SettingFixedError extends ProcrefError {
  static readonly code = 'PROCREF_SETTING_FIXED'
  readonly dir: string
  readonly setting: string
  constructor(facts: {
    readonly dir: string
    readonly name: string
    readonly made: string | number | null
    readonly asked: string | number
  }) {
    const { dir, name, made, asked } = facts
    super(
      SettingFixedError.code,
      `${dir} was made with ${name} ${made}, so with ${name} ${asked} nobody could connect to it any more. ${REMEDY_OF_FIXED[name] ?? 'Take another directory (--dir).'}`,
    )
    this.dir = dir
    this.setting = name
  }
}

const REMEDY_OF_FIXED: Readonly<Record<string, string>> = {
  storage: 'Take another directory (--dir), or delete its database first (`procref reset`).',
  slots: 'Take another directory (--dir); or end every program that uses this one, and delete its folder slots.',
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
