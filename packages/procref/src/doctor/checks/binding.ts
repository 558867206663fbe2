import { findSurreal, serverBinding } from '@procref/lifecycle'
import type { Check } from '../check.ts'
import { attempt } from '../look-around.ts'

/** Does the kernel end a server together with its guardian? */
export const binding: Check = {
  id: 'binding',
  looksAt: "whether the kernel binds the server's life to its guardian's",
  where: 'anywhere',
  async examine() {
    const executable = await attempt(() => findSurreal(process.env.PROCREF_SURREAL_BIN || undefined))
    if ('error' in executable) return { found: 'the embedded engine is one process with its guardian', findings: [] }
    if (serverBinding() === 'kernel') return { found: 'by the kernel (setpriv --pdeathsig)', findings: [] }
    const linux = process.platform === 'linux'
    return {
      found: 'not at all',
      findings: [
        {
          code: 'server-not-bound',
          severity: linux ? 'warning' : 'note',
          found: linux
            ? 'There is no setpriv(1) that knows --pdeathsig, so a server outlives a guardian that is killed.'
            : `On ${process.platform} a server outlives a guardian that is killed.`,
          why: 'Such an orphan runs until the next connect(), which ends it and starts anew; nobody else stops it.',
          remedy: linux
            ? 'Install util-linux (its setpriv), or use the embedded engine (`--driver embedded`).'
            : 'Nothing; or use the embedded engine (`--driver embedded`), which is one process with its guardian.',
        },
      ],
    }
  },
}
