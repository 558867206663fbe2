import { watch } from 'node:fs'
import type { Check, Finding } from '../check.ts'
import { attempt } from '../look-around.ts'

/** A guardian keeps one descriptor for each slot that it saw held; beside them it has these, and the engine its tables. */
const OTHER_FILES = 128

/** Limits of this user and this machine that procref can meet. */
export const limits: Check = {
  id: 'limits',
  looksAt: 'limits: watching files, open files',
  where: 'inside',
  async examine({ paths, pin }) {
    const watching = await attempt(() => watch(paths.root, { persistent: false }).close())
    const slots = ('value' in pin ? pin.value?.slots : undefined) ?? 0
    const files = openFileLimit()
    return {
      found: `${files === undefined ? 'open files unlimited' : `${files} open files`}, files ${'error' in watching ? 'cannot' : 'can'} be watched`,
      findings: [
        ...('error' in watching ? [noWatches(watching.error)] : []),
        ...(files !== undefined && files < slots + OTHER_FILES ? [fewFiles(files, slots)] : []),
      ],
    }
  },
}

function noWatches(error: unknown): Finding {
  const { code } = error as NodeJS.ErrnoException
  return {
    code: 'no-file-watches',
    severity: 'note',
    found: `Files cannot be watched (${code}): the limits of inotify are reached, or there is none here.`,
    why: 'Everything works without: it looks twice a second, or every few seconds, instead of being told at once.',
    remedy: 'Raise fs.inotify.max_user_instances and fs.inotify.max_user_watches (sysctl), or end what uses them up.',
  }
}

function fewFiles(files: number, slots: number): Finding {
  return {
    code: 'few-open-files',
    severity: 'warning',
    found: `A process may open ${files} files, and a guardian of ${slots} slots can need ${slots + OTHER_FILES}.`,
    why: 'A slot that cannot be looked at counts as held: the server would stay up longer than it should, and the database may fail to open its files.',
    remedy: 'Raise the limit (`ulimit -n`, LimitNOFILE= in a systemd unit).',
  }
}

/** `undefined`: no limit, or none is known. */
function openFileLimit(): number | undefined {
  // Missing in the types, there since 20.13: without it the report looks up the names of network peers.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    const { userLimits } = report.getReport() as {
      readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } }
    }
    const soft = userLimits?.open_files?.soft
    return typeof soft === 'number' ? soft : undefined
  } finally {
    report.excludeNetwork = before
  }
}
