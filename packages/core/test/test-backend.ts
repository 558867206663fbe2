import { type FileSlotsOptions, fileSlots, type SlotBackend } from '@procref/core'
import { TestLocker } from './test-locker.ts'

/** A backend on a `TestLocker`. */
export function testBackend(options: Partial<FileSlotsOptions> & { readonly locker?: TestLocker } = {}): SlotBackend {
  return fileSlots({
    name: 'test',
    locker: new TestLocker(),
    guarantees: {
      crashRelease: 'kernel',
      maxRecoveryMs: 0,
      scope: 'host',
      inheritableByChild: false,
      interoperatesWithSeed: false,
      platforms: ['linux', 'darwin', 'freebsd', 'win32'],
    },
    descriptor: { module: 'file:///nowhere/test.js', factory: 'testBackend', options: {} },
    ...options,
  })
}
