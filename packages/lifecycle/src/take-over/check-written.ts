import type { EngineIdentity } from '../driver.ts'
import { UpgradeNeededError } from '../errors.ts'
import { checkEngine } from '../state/engine-record.ts'
import { DataVersionUnknownError } from './errors.ts'
import type { Folder } from './folder.ts'
import { isUnrecorded, type WrittenBy } from './written-by.ts'

/** What a version is judged by. */
export interface Judgement {
  readonly folder: Pick<Folder, 'path' | 'storage'>
  /** Who wants to open the data. */
  readonly engine: EngineIdentity
  /** What somebody has said of who wrote them. */
  readonly told: string | undefined
  readonly whenOlder: 'fail' | 'upgrade'
}

/** Throws unless this version may open the data for good; answers what wrote them, as far as that is known. */
export function checkWritten(seen: WrittenBy, judgement: Judgement): string | null {
  const { folder, engine, told, whenOlder } = judgement
  if (seen.kind === 'version') return checkVersion(seen.version, judgement)
  if (seen.kind === 'unknown') {
    if (told === undefined) throw new DataVersionUnknownError(folder.path, engine.version)
    return checkVersion(told, judgement)
  }
  if (told !== undefined && isUnrecorded(told)) return checkVersion(told, judgement)
  if (whenOlder !== 'upgrade') throw upgradeNeeded(`older than ${seen.before}`, judgement)
  return null
}

/** As `checkWritten`, for a version that is known. */
export function checkVersion(version: string, judgement: Judgement): string {
  const { folder, engine, whenOlder } = judgement
  const recorded = { engine: 'surrealdb', version, storage: folder.storage }
  try {
    checkEngine(
      recorded,
      engine,
      folder.path,
      whenOlder === 'upgrade' ? { from: recorded, to: engine.version } : undefined,
    )
    return version
  } catch (error) {
    throw error instanceof UpgradeNeededError ? upgradeNeeded(version, judgement) : error
  }
}

function upgradeNeeded(version: string, { folder, engine }: Judgement): UpgradeNeededError {
  return new UpgradeNeededError({
    path: folder.path,
    recorded: { engine: 'surrealdb', version, storage: folder.storage },
    asked: engine,
    remedy:
      'Say that it may with --upgrade (with --copy as well, the folder stays as it is), or take it over with the version that wrote them.',
  })
}
