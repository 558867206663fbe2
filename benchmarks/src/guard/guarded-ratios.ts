import { EMPTY, FULL, slots } from '../scenarios/slots.ts'
import { uncontended } from '../scenarios/uncontended.ts'
import { BARE_SDK, warmConnect } from '../scenarios/warm-connect.ts'
import { embeddedNative } from '../services/embedded-native.ts'
import { cFloor } from '../subjects/c-floor.ts'
import { nativeSubject } from '../subjects/native.ts'
import { ofdRangeSubject } from '../subjects/ofd-range.ts'
import type { GuardedRatio } from './guarded-ratio.ts'

const SMALL = 100
const LARGE = 10_000

/** One line a ratio; measured together where they share a scenario. */
export const GUARDED_RATIOS: readonly GuardedRatio[] = [
  {
    name: 'native-to-floor',
    title: 'a claim of native(), over the same system calls in C',
    scenario: uncontended,
    subjects: [cFloor, nativeSubject],
    services: [],
    over: { subject: nativeSubject.name },
    under: { subject: cFloor.name },
    limit: 3,
  },
  grown('ofd-range-grown-empty', 'empty', EMPTY),
  grown('ofd-range-grown-full', '99 % full', FULL),
  {
    name: 'warm-connect-to-sdk',
    title: 'a connect to a server that runs, over that of the bare SDK',
    scenario: warmConnect,
    subjects: [],
    services: [embeddedNative],
    over: { subject: embeddedNative.name },
    under: { subject: embeddedNative.name, variant: BARE_SDK },
    limit: 4,
  },
]

function grown(name: string, words: string, variant: string): GuardedRatio {
  return {
    name,
    title: `a claim of ofdRange() in a pool of ${LARGE} slots, over one of ${SMALL} (${words})`,
    scenario: slots,
    subjects: [ofdRangeSubject],
    services: [],
    over: { subject: ofdRangeSubject.name, variant, at: LARGE },
    under: { subject: ofdRangeSubject.name, variant, at: SMALL },
    limit: 2.5,
  }
}
