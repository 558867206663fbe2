// Every wrong backend, the behaviour that must tell, and what it must say.

import { rebuildFromDescriptor, type SlotBackend } from '@procref/core'

export interface BrokenBackend {
  readonly file: string
  readonly factory: string
  readonly breaks: string
  readonly says: RegExp
}

export const brokenBackends: readonly BrokenBackend[] = [
  { file: 'lets-two-in', factory: 'letsTwoIn', breaks: 'exclusion', says: /a fourth slot of three/ },
  { file: 'lets-two-in-rarely', factory: 'letsTwoInRarely', breaks: 'stress', says: /two processes held one slot/ },
  {
    file: 'keeps-dead-holders',
    factory: 'keepsDeadHolders',
    breaks: 'crash-release',
    says: /still held when the death/,
  },
  { file: 'counts-wrongly', factory: 'countsWrongly', breaks: 'probing', says: /deep-equal/ },
  {
    file: 'takes-probers-for-holders',
    factory: 'takesProbersForHolders',
    breaks: 'probing',
    says: /free slot was reported in use/,
  },
  {
    file: 'frees-forgotten-slots',
    factory: 'freesForgottenSlots',
    breaks: 'garbage-collection',
    says: /garbage collector released/,
  },
  { file: 'forgets-deleted-files', factory: 'forgetsDeletedFiles', breaks: 'proven-empty', says: /forgotten with its/ },
  {
    file: 'takes-errors-for-free',
    factory: 'takesErrorsForFree',
    breaks: 'unusable-files',
    says: /proven empty although/,
  },
  {
    file: 'unlocks-on-release',
    factory: 'unlocksOnRelease',
    breaks: 'inheritance',
    says: /took the slot from the child/,
  },
  {
    file: 'hands-out-descriptors',
    factory: 'handsOutDescriptors',
    breaks: 'programs',
    says: /program has the slot|is free although the program lives/,
  },
  {
    file: 'leaks-aborted-claims',
    factory: 'leaksAbortedClaims',
    breaks: 'cancellation',
    // The second where the claim that goes on is slower than the round in which it was called off.
    says: /nobody knows of a slot|no slot of .* could be claimed/,
  },
  {
    file: 'releases-by-number',
    factory: 'releasesByNumber',
    breaks: 'release',
    says: /PROCREF_SLOT_LOST|was released|freed the slot/,
  },
  { file: 'never-loses', factory: 'neverLoses', breaks: 'deleted-files', says: /Missing expected rejection/ },
  // The second where all eight pools began their search behind the link.
  {
    file: 'follows-links',
    factory: 'followsLinks',
    breaks: 'unusable-files',
    says: /0 !== 1|Missing expected rejection/,
  },
  { file: 'is-rebuilt-elsewhere', factory: 'isRebuiltElsewhere', breaks: 'descriptor', says: /undefined/ },
  { file: 'throws-for-no', factory: 'throwsForNo', breaks: 'support', says: /is not a directory/ },
  { file: 'keeps-running', factory: 'keepsRunning', breaks: 'close', says: /the program ends did not happen/ },
  { file: 'takes-any-size', factory: 'takesAnySize', breaks: 'pool-size', says: /Missing expected rejection/ },
  { file: 'names-nobody', factory: 'namesNobody', breaks: 'exhausted', says: /does not contain/ },
  { file: 'leaves-files-open', factory: 'leavesFilesOpen', breaks: 'open-files', says: /descriptors were left open/ },
  {
    file: 'watches-paths',
    factory: 'watchesPaths',
    breaks: 'control-locks',
    says: /does not look at the file it opened/,
  },
  {
    file: 'believes-records',
    factory: 'believesRecords',
    breaks: 'damaged-files',
    says: /\+ +slot: 0/,
  },
  {
    file: 'gives-away-stopped-holders',
    factory: 'givesAwayStoppedHolders',
    breaks: 'stopped-holder',
    says: /was given away/,
  },
  {
    file: 'locks-by-pid',
    factory: 'locksByPid',
    breaks: 'worker-threads',
    says: /main thread got the slot of the worker/,
  },
  {
    file: 'frees-with-any-descriptor',
    factory: 'freesWithAnyDescriptor',
    breaks: 'two-pools',
    says: /a third slot of two/,
  },
  {
    file: 'waits-without-looking',
    factory: 'waitsWithoutLooking',
    breaks: 'waiting',
    says: /had blocked, did not happen/,
  },
  { file: 'shows-everybody', factory: 'showsEverybody', breaks: 'directory', says: /493 !== 448/ },
  { file: 'locks-beside', factory: 'locksBeside', breaks: 'seed-protocol', says: /- +0/ },
  {
    file: 'claims-the-host',
    factory: 'claimsTheHost',
    breaks: 'namespaces',
    says: /in another namespace got our slot/,
  },
]

export function makeBroken({ file, factory }: BrokenBackend): Promise<SlotBackend> {
  const module = new URL(`./${file}.mjs`, import.meta.url).href
  return rebuildFromDescriptor<SlotBackend>({ module, factory, options: {} })
}
