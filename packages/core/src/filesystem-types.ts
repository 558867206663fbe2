/**
 * What a file system is to locks. `local` and `memory`: one kernel keeps them. `network`: several hosts see the files.
 * `pass-through`: another program or machine is behind them and sees neither our locks nor we its. `unknown`: a test decides.
 */
export type FilesystemKind = 'local' | 'memory' | 'network' | 'pass-through' | 'unknown'

export interface FilesystemType {
  /** As people know it: `ext4`, `nfs`; for an unknown one its number. */
  readonly name: string
  readonly kind: FilesystemKind
}

/** Linux: `f_type` of statfs(2), from linux/magic.h and the sources of the file systems themselves. */
const LINUX: ReadonlyMap<number, FilesystemType> = new Map(
  Object.entries({
    local: {
      ext4: 0xef53, // ext2 and ext3 as well
      xfs: 0x58465342,
      btrfs: 0x9123683e,
      zfs: 0x2fc12fc1,
      overlayfs: 0x794c7630,
      f2fs: 0xf2f52010,
      bcachefs: 0xca451a4e,
      jfs: 0x3153464a,
      reiserfs: 0x52654973,
      nilfs2: 0x3434,
      ubifs: 0x24051905,
      ecryptfs: 0xf15f,
      vfat: 0x4d44,
      exfat: 0x2011bab0,
      ntfs: 0x5346544e,
      ntfs3: 0x7366746e,
      hfsplus: 0x482b,
      udf: 0x15013346,
    },
    memory: { tmpfs: 0x01021994, ramfs: 0x858458f6 },
    network: {
      nfs: 0x6969,
      smb: 0x517b,
      cifs: 0xff534d42,
      smb2: 0xfe534d42,
      ncpfs: 0x564c,
      afs: 0x5346414f,
      kafs: 0x6b414653,
      coda: 0x73757245,
      ceph: 0x00c36400,
      lustre: 0x0bd00bd0,
      gpfs: 0x47504653,
      ocfs2: 0x7461636f,
      gfs2: 0x01161970,
      orangefs: 0x20030528,
      panfs: 0xaad7aaea,
      beegfs: 0x19830326,
      acfs: 0x61636673,
      snfs: 0xbeefdead,
    },
    'pass-through': {
      '9p': 0x01021997, // also Windows' drives under WSL 2
      'FUSE or virtiofs': 0x65735546, // one number for both
      vboxsf: 0x786f4256,
      vmhgfs: 0xbacbacbc,
      prl_fs: 0x7c7c6673,
    },
  } satisfies Record<Exclude<FilesystemKind, 'unknown'>, Record<string, number>>).flatMap(([kind, types]) =>
    Object.entries(types).map(([name, magic]) => [magic, { name, kind: kind as FilesystemKind }] as const),
  ),
)

/** Elsewhere: the type's name in the list of mounts, because numbers differ between machines and releases. */
const NAMED: readonly (readonly [RegExp, FilesystemKind])[] = [
  [/^(apfs|hfs|ufs|zfs|ffs|hammer2?|msdosfs?|exfat|ntfs|udf)$/, 'local'],
  [/^(tmpfs|mfs)$/, 'memory'],
  [/^(smbfs|cifs|nfs[34]?|afpfs|webdav|ftp|autofs|afs|cephfs|acfs|xsan)$/, 'network'],
  [/fuse|^(9p|p9fs|virtiofs|appleVirtIOFS|vboxfs|vboxsf|vmhgfs|prl_fs|nullfs)$/i, 'pass-through'],
]

export function linuxFilesystem(type: bigint): FilesystemType {
  // The kernel's long is signed, and CIFS's number does not fit into 31 bits.
  const magic = Number(BigInt.asUintN(32, type))
  return LINUX.get(magic) ?? { name: `type 0x${magic.toString(16)}`, kind: 'unknown' }
}

export function namedFilesystem(name: string): FilesystemType {
  return { name, kind: NAMED.find(([pattern]) => pattern.test(name))?.[1] ?? 'unknown' }
}
