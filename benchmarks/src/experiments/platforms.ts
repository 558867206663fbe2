import { Actor } from '../actor/actor.ts'
import type { Experiment } from '../experiment.ts'
import { takeOnlyPermit } from './only-permit.ts'
import { overEach } from './over-each.ts'

const CALLED: { readonly [platform: string]: string } = {
  aix: 'AIX',
  darwin: 'macOS',
  freebsd: 'FreeBSD',
  linux: 'Linux',
  openbsd: 'OpenBSD',
  sunos: 'Solaris',
  win32: 'Windows',
}
/** Where most people's programs run: cross-platform means all of them. */
const WANTED = ['linux', 'darwin', 'win32'] as const

export const platforms: Experiment = {
  name: 'platforms',
  title: 'Which platforms does it declare, and does it work on this one?',
  scale: 'quick',
  observe: (context) =>
    overEach(platforms, context, {
      alsoInProcess: true,
      async observe({ subject, prepared }, dir) {
        await using actor = await Actor.start(prepared, dir, 1)
        await takeOnlyPermit(actor)
        const here = called(process.platform)
        const measured = `Measured in this run, and nowhere else: a claim on ${here} (${process.arch}).`
        const declared = await subject.declares?.()
        if (declared === undefined) {
          return {
            verdict: 'unanswered',
            finding: `${here}; declares nothing`,
            evidence: `${measured} It declares no platforms.`,
          }
        }
        const names = declared.platforms.map(called).join(', ')
        const evidence = `${measured} Declared, not measured: ${names}, by ${declared.where}.`
        const hasAll = WANTED.every((platform) => declared.platforms.includes(platform))
        return { verdict: hasAll ? 'holds' : 'breaks', finding: `${names} (measured: ${here})`, evidence }
      },
    }),
}

function called(platform: string): string {
  return CALLED[platform] ?? platform
}
