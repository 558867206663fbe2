import { readlinkSync } from 'node:fs'
import { filesystemOf, type Guarantees, ifVisible } from '@procref/core'

type NamespaceKind = 'pid' | 'ipc'

/** The numbers of the machine's own namespaces never change: PROC_PID_INIT_INO and PROC_IPC_INIT_INO in Linux's include/linux/proc_ns.h. */
const OF_THE_MACHINE: Readonly<Record<NamespaceKind, string>> = { pid: 'pid:[4026531836]', ipc: 'ipc:[4026531839]' }

/** Where the slots are, in words that explain a choice: `linux x64, ext4, in a container: …`. */
export async function describeSurroundings(slotsDir: string, guarantees: Guarantees): Promise<string> {
  const { name } = await filesystemOf(slotsDir)
  return [`${process.platform} ${process.arch}`, name, ...container(guarantees)].join(', ')
}

/** What being in a container means for a backend of this reach; nothing outside of one. */
function container({ scope }: Guarantees): readonly string[] {
  const own = ownNamespaces()
  if (own.length === 0) return []
  const reach =
    scope === 'host' || scope === 'cluster'
      ? 'whoever shares the directory is excluded, in other containers as well'
      : `only processes of the same ${scope.replaceAll('-', ' ')} can use it, others are refused`
  return [`in a container (a ${own.join(' and ')} namespace of its own): ${reach}`]
}

function ownNamespaces(): readonly NamespaceKind[] {
  if (process.platform !== 'linux') return []
  return (['pid', 'ipc'] as const).filter((kind) => {
    const seen = ifVisible(() => readlinkSync(`/proc/self/ns/${kind}`))
    return seen !== undefined && seen !== OF_THE_MACHINE[kind]
  })
}
