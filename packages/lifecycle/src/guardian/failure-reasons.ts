import type { JournalReason } from '../state/journal.ts'

/** Every error that a start can end with, by its code, as the journal calls it. */
const REASONS: ReadonlyMap<unknown, JournalReason> = new Map<string, JournalReason>([
  ['PROCREF_CRASH_LOOP', 'crash-loop'],
  ['PROCREF_SERVER_LOCK_HELD', 'server-lock-held'],
  ['PROCREF_FOREIGN_NAMESPACE', 'foreign-namespace'],
  ['PROCREF_IDENTITY_UNAVAILABLE', 'identity-unavailable'],
  ['PROCREF_PORT_TAKEN', 'port-taken'],
  ['PROCREF_STRANGER_ON_PORT', 'stranger-on-port'],
  ['PROCREF_NEWER_PROTOCOL', 'newer-protocol'],
  ['PROCREF_NEWER_DATA', 'newer-data'],
  ['PROCREF_DATA_ENGINE_MISMATCH', 'data-engine-mismatch'],
  ['PROCREF_DATABASE_LOCKED', 'database-locked'],
  ['PROCREF_DATABASE_DAMAGED', 'database-damaged'],
  ['PROCREF_OLDER_DATA', 'older-data'],
  ['PROCREF_UPGRADE_NEEDED', 'upgrade-needed'],
  ['PROCREF_CREDENTIALS_MISSING', 'credentials-missing'],
  ['PROCREF_CREDENTIALS_REFUSED', 'credentials-refused'],
  ['PROCREF_SERVER_SPAWN', 'driver-unusable'],
  ['PROCREF_EXECUTABLE_NOT_FOUND', 'driver-unusable'],
  ['PROCREF_SERVER_TOO_OLD', 'driver-unusable'],
  ['PROCREF_SERVER_ARGUMENTS', 'driver-unusable'],
  ['PROCREF_ENGINE_UNAVAILABLE', 'driver-unusable'],
  ['PROCREF_DESCRIPTOR_UNUSABLE', 'driver-unusable'],
  ['PROCREF_DATABASE_OPEN', 'start-failed'],
  ['PROCREF_ENGINE_SPENT', 'start-failed'],
  ['PROCREF_SERVER_EXITED', 'start-failed'],
  ['PROCREF_SERVER_NOT_READY', 'start-timeout'],
  ['PROCREF_DIRECTORY_GONE', 'directory-gone'],
  ['PROCREF_NOT_FOUND', 'directory-gone'],
  ['PROCREF_STATE_FILE_UNSAFE', 'unsafe-path'],
  ['PROCREF_UNSAFE_FILE', 'unsafe-path'],
  ['PROCREF_UNSAFE_DIRECTORY', 'unsafe-path'],
  ['PROCREF_SYMBOLIC_LINK', 'unsafe-path'],
  ['PROCREF_NOT_A_FILE', 'unsafe-path'],
  ['PROCREF_NOT_A_DIRECTORY', 'unsafe-path'],
  ['PROCREF_DATABASE_PATH', 'unsafe-path'],
  ['PROCREF_ENGINE_RECORD_DAMAGED', 'state-damaged'],
  ['PROCREF_PERMISSION_DENIED', 'permission-denied'],
  ['PROCREF_READ_ONLY', 'permission-denied'],
  ['PROCREF_DISK_FULL', 'disk-full'],
  ['ENOSPC', 'disk-full'],
  ['EDQUOT', 'disk-full'],
  ['PROCREF_TOO_MANY_OPEN_FILES', 'limit-reached'],
  ['PROCREF_NO_LOCKS_LEFT', 'limit-reached'],
  ['PROCREF_OUT_OF_MEMORY', 'limit-reached'],
  ['PROCREF_IO_ERROR', 'io-error'],
])

/** Why a start failed. What is not known here is a bug, or another package's error: its code is in the entry's evidence. */
export function failureReason(error: unknown): JournalReason {
  return REASONS.get((error as { code?: unknown } | null | undefined)?.code) ?? 'unexpected-error'
}
