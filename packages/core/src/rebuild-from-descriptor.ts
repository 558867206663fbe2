import { ProcrefError } from './errors.ts'
import type { Descriptor } from './slot-backend.ts'

/** A backend or driver cannot be rebuilt in this process: its module is gone, or is another version. */
export class DescriptorError extends ProcrefError {
  readonly descriptor: Descriptor
  constructor(descriptor: Descriptor, problem: string, cause?: unknown) {
    super(
      'PROCREF_DESCRIPTOR_UNUSABLE',
      `${descriptor.factory}() of ${descriptor.module} cannot be used in this process: ${problem}. ` +
        'Install the package again where it was, or start from a program that has it installed.',
      { cause },
    )
    this.descriptor = descriptor
  }
}

/** Imports the module and calls the factory, which `T` describes. Throws `DescriptorError`; the factory's own errors pass through. */
export async function rebuildFromDescriptor<T>(descriptor: Descriptor): Promise<T> {
  if (!descriptor.module.startsWith('file:')) throw new DescriptorError(descriptor, 'its module is not a file: URL')
  let module: Record<string, unknown>
  try {
    module = (await import(descriptor.module)) as Record<string, unknown>
  } catch (error) {
    throw new DescriptorError(descriptor, `the module cannot be loaded (${(error as Error).message})`, error)
  }
  const factory = module[descriptor.factory]
  if (typeof factory !== 'function') throw new DescriptorError(descriptor, 'the module exports no such function')
  return factory(descriptor.options) as T
}
