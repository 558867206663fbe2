import { fileURLToPath } from 'node:url'
import { FileAccessError } from './errno.ts'
import { ProcrefError } from './errors.ts'
import { importTrouble } from './import-trouble.ts'
import { isBundled } from './installed-module.ts'
import type { Descriptor } from './slot-backend.ts'

/** A backend or driver cannot be rebuilt in this process: its module is gone, is another version, or is part of a bundle only. */
export class DescriptorError extends ProcrefError {
  readonly descriptor: Descriptor
  constructor(
    descriptor: Descriptor,
    problem: string,
    options: { readonly cause?: unknown; readonly remedy?: string } = {},
  ) {
    const { cause, remedy = 'Install the package again where it was, or start from a program that has it installed.' } =
      options
    super(
      'PROCREF_DESCRIPTOR_UNUSABLE',
      `${descriptor.factory}() of ${descriptor.module} cannot be used in this process: ${problem}. ${remedy}`,
      { cause },
    )
    this.descriptor = descriptor
  }
}

/** What backends and drivers are made by: exported functions with one argument, the descriptor's `options`. */
export type Factories = Readonly<Record<string, (options: never) => unknown>>

/** Those of this process's own bundle, by the names that descriptors have for them. */
const offered = new Map<string, (options: never) => unknown>()

/**
 * Makes the factories of a bundle known to `rebuildFromDescriptor`: inside a bundle there is no module to import them from.
 * The keys are their exported names, whatever a minifier made of the functions' own.
 */
export function offerFactories(factories: Factories): void {
  for (const [name, factory] of Object.entries(factories)) {
    if (typeof factory !== 'function') throw new TypeError(`factories: ${name} is ${typeof factory}, not a function`)
    offered.set(name, factory)
  }
}

/**
 * Imports the module, or takes what was offered of a bundle, and calls the factory, which `T` describes. Throws `DescriptorError`, or
 * `FileAccessError` where the system did not get to it; the factory's own errors pass through.
 */
export async function rebuildFromDescriptor<T>(descriptor: Descriptor): Promise<T> {
  const factory = isBundled(descriptor.module) ? offeredFor(descriptor) : await importedFor(descriptor)
  return (await factory(descriptor.options as never)) as T
}

function offeredFor(descriptor: Descriptor): (options: never) => unknown {
  const factory = offered.get(descriptor.factory)
  if (factory !== undefined) return factory
  const { factory: name, module } = descriptor
  throw new DescriptorError(descriptor, 'it is part of a bundle, which this process does not come from', {
    remedy:
      `Pass it to guardian() in the file that guardianProgram names: \`guardian({ ${name} })\`; or keep ` +
      `${module.slice(module.indexOf(':') + 1)} out of the bundle, and installed.`,
  })
}

async function importedFor(descriptor: Descriptor): Promise<(options: never) => unknown> {
  if (!descriptor.module.startsWith('file:')) throw new DescriptorError(descriptor, 'its module is not a file: URL')
  let module: Record<string, unknown>
  try {
    module = (await import(/* webpackIgnore: true */ descriptor.module)) as Record<string, unknown>
  } catch (error) {
    const trouble = importTrouble(error, fileURLToPath(descriptor.module))
    if (trouble instanceof FileAccessError) throw trouble
    const problem = `the module cannot be loaded (${(error as Error).message})`
    throw new DescriptorError(descriptor, problem, { cause: error })
  }
  const factory = module[descriptor.factory]
  if (typeof factory !== 'function') throw new DescriptorError(descriptor, 'the module exports no such function')
  return factory as (options: never) => unknown
}
