import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkFilesystem, type FilesystemOptions, filesystemOf, isMemoryFilesystem, systemCalls } from '@procref/core'
import { atEnd, freshDir, isRoot, mountTmpfs } from '@procref/testing'
import { expect, onTestFinished, test } from 'vitest'
import { errno } from './test-locker.ts'

function linux(type: bigint): FilesystemOptions {
  return { platform: 'linux', system: { ...systemCalls, statfsType: () => type } }
}

function bsd(mounts: string, platform: NodeJS.Platform = 'darwin'): FilesystemOptions {
  return { platform, mounts: async () => mounts }
}

test.each([
  [0xef53n, 'ext4'],
  [0x58465342n, 'xfs'],
  [0x9123683en, 'btrfs'],
  [-1859950530n, 'btrfs'], // as a signed 32-bit number
  [0x2fc12fc1n, 'zfs'],
  [0x794c7630n, 'overlayfs'],
  [0xf2f52010n, 'f2fs'],
])('type %s is %s, which keeps locks', async (type, name) => {
  expect(await checkFilesystem('/', linux(type))).toEqual({ name, kind: 'local' })
  expect(await isMemoryFilesystem('/', linux(type))).toBe(false)
})

test.each([
  [0x01021994n, 'tmpfs'],
  [0x858458f6n, 'ramfs'],
])('type %s is %s, which keeps locks but nothing else after a restart', async (type, name) => {
  expect(await checkFilesystem('/', linux(type))).toEqual({ name, kind: 'memory' })
  expect(await isMemoryFilesystem('/', linux(type))).toBe(true)
})

test.each([
  [0x6969n, 'nfs', 'network'],
  [0x517bn, 'smb', 'network'],
  [0xff534d42n, 'cifs', 'network'],
  [-11317950n, 'cifs', 'network'], // as a signed 32-bit number
  [0xfe534d42n, 'smb2', 'network'],
  [0x01021997n, '9p', 'pass-through'],
  [0x65735546n, 'FUSE or virtiofs', 'pass-through'],
  [0x786f4256n, 'vboxsf', 'pass-through'],
  [0x5346414fn, 'afs', 'network'],
  [0x00c36400n, 'ceph', 'network'],
  [0x0bd00bd0n, 'lustre', 'network'],
  [0x47504653n, 'gpfs', 'network'],
  [0x01161970n, 'gfs2', 'network'],
])('type %s is %s, and refused with the way to override it', async (type, name, kind) => {
  const path = freshDir()
  await expect(checkFilesystem(path, linux(type))).rejects.toMatchObject({
    code: 'PROCREF_UNSUPPORTED_FILESYSTEM',
    path,
    filesystem: name,
    message: expect.stringMatching(new RegExp(`${path} is on ${name}, a ${kind} file system.*allowUnsafeFilesystem`)),
  })
})

test('an unknown type passes by its number: the test of the medium decides', async () => {
  expect(await checkFilesystem('/', linux(0x12345678n))).toEqual({ name: 'type 0x12345678', kind: 'unknown' })
})

test('what does not exist yet is judged by the directory it would be made in', async () => {
  const dir = freshDir()
  writeFileSync(join(dir, 'file'), '')
  const asked: string[] = []
  const statfsType = (path: string): bigint => {
    asked.push(path)
    return 0xef53n
  }
  const options: FilesystemOptions = { platform: 'linux', system: { ...systemCalls, statfsType } }
  await filesystemOf(dir, options)
  await filesystemOf(join(dir, 'a', 'b', 'c'), options)
  await filesystemOf(join(dir, 'file', 'below'), options)
  expect(asked).toEqual([dir, dir, join(dir, 'file')])
})

test('a directory that may not be looked at is named', async () => {
  const dir = freshDir()
  const system = {
    ...systemCalls,
    statfsType: () => {
      throw errno('EACCES')
    },
  }
  await expect(filesystemOf(dir, { platform: 'linux', system })).rejects.toMatchObject({
    code: 'PROCREF_PERMISSION_DENIED',
    path: dir,
  })
})

test('this machine’s temporary directory keeps locks', async () => {
  expect(['local', 'memory', 'unknown']).toContain((await checkFilesystem(freshDir())).kind)
})

test('a tmpfs that is really mounted is known to be memory', async () => {
  if (process.platform !== 'linux' || !isRoot()) return console.warn('not checked: only root can mount, on Linux')
  const { path } = atEnd(mountTmpfs({ bytes: 64 * 1024 }))
  expect(await filesystemOf(join(path, 'not', 'yet'))).toEqual({ name: 'tmpfs', kind: 'memory' })
})

test('an overlayfs that is really mounted is known to be local', async () => {
  if (process.platform !== 'linux' || !isRoot()) return console.warn('not checked: only root can mount, on Linux')
  const dir = freshDir()
  for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(dir, name))
  const options = `lowerdir=${dir}/lower,upperdir=${dir}/upper,workdir=${dir}/work`
  execFileSync('mount', ['-t', 'overlay', '-o', options, 'procref-test', join(dir, 'merged')])
  onTestFinished(() => void execFileSync('umount', [join(dir, 'merged')]))
  expect(await filesystemOf(join(dir, 'merged'))).toEqual({ name: 'overlayfs', kind: 'local' })
})

const MACOS = `
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//user@nas/share on ROOT/share (smbfs, nodev, nosuid, mounted by user)
nas:/export on ROOT/with (odd) name (nfs, nodev, nosuid)
macfuse@0 on ROOT/fuse (macfuse, nodev, nosuid, synchronous, mounted by user)
/dev/disk5 on ROOT/ram (hfs, local, nodev)
`

test.each([
  ['', 'apfs', 'local'],
  ['share', 'smbfs', 'network'],
  ['share-like', 'apfs', 'local'],
  ['with (odd) name', 'nfs', 'network'],
  ['fuse', 'macfuse', 'pass-through'],
  ['ram', 'hfs', 'local'],
])('on macOS the list of mounts decides: %j is on %s', async (name, type, kind) => {
  const dir = freshDir()
  mkdirSync(join(dir, name), { recursive: true })
  expect(await filesystemOf(join(dir, name, 'slots'), bsd(MACOS.replaceAll('ROOT', dir)))).toEqual({ name: type, kind })
})

test('a list of mounts that says nothing leaves it to the test of the medium', async () => {
  expect(await filesystemOf('/', bsd(''))).toMatchObject({ kind: 'unknown' })
})
