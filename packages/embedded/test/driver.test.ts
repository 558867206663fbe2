import { expect, test } from 'vitest'
import { driverTests } from '../../lifecycle/test/drivers/driver-suite.ts'
import { embeddedSurreal } from '../dist/index.js'

driverTests('embedded', { make: embeddedSurreal })

test.each([{ guests: true }, { scripting: true }, { experimental: ['surrealism'] }, { experimental: ['bogus'] }])(
  '%j, which the engine has not, is refused',
  (capabilities) => {
    expect(() => embeddedSurreal({ capabilities } as Parameters<typeof embeddedSurreal>[0])).toThrow(
      /^capabilities(\.experimental)?: /,
    )
  },
)
