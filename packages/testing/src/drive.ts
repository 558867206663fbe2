import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TempDir } from '@procref/conformance/harness'
import { attachLoop, makeImage, mountDevice, mountImage } from './loop-device.ts'
import { whileItStandsStill } from './stand-still.ts'
import { mountTmpfs } from './tmpfs.ts'
import { Undo } from './undo.ts'
import { unmountAfterwards } from './unmount-afterwards.ts'

/**
 * A drive with an ext4 on it, of which `powerCut()` tells what it would have on it if the power failed now.
 *
 *     your files                  in the page cache until they are synced, or for 30 s: lost
 *     ext4, default features      (journal with checksums, data=ordered, barriers; delayed allocation)
 *     loop device over a device   hands each block that is written, and each flush, down
 *     page cache of that device   the drive's own volatile cache: lost but for what was flushed, or has gone to the medium by itself
 *     loop device over `medium`   hands each block that leaves this cache down
 *     the file `medium`           what is on the medium: this is copied
 *     ext4, on a file in memory   is there so that the medium can be made to stand still (FIFREEZE)
 *
 * Simulated: whoever loses the power loses all that is dirty in the page cache; a block that was written to the drive and not flushed since
 * may be there or not, each for itself, so in any order; what was acknowledged by fsync() is there. The copy is ONE moment of
 * the medium: its file system is frozen meanwhile, so that each write to it is in the copy or waits until it is made. (A copy of blocks that go
 * on being written is no moment at all: of a journal that goes round while it is copied the beginning is too old and the end too
 * new, and what was synced long ago can be missing. To freeze the ext4 on the drive would be the contrary of a cut: it writes everything.)
 *
 * Not simulated: a drive that says it has flushed and has not, blocks that are torn in themselves, damage to what was not being written, and what
 * a machine does while its voltage falls. Each block of 4 KiB is written whole.
 */
export interface Drive extends TempDir {
  /**
   * What is found when the power comes back: the medium as it was at one moment, copied while everybody goes on (who writes waits for the copy, some
   * tens of milliseconds), and mounted elsewhere, which replays the journal as a boot does. Nothing else is repaired.
   */
  powerCut(): Promise<PowerCut>
}

export interface PowerCut extends TempDir {
  /** When the power went, as `Date.now()` says it: nothing has come to the medium since. */
  readonly at: number
}

/** The file that is the medium is on a file system of its own, which has to be a bit larger. */
const withRoomFor = (bytes: number): number => bytes + Math.ceil(bytes / 16) + 16 * 1024 * 1024

/** The medium, and as many copies of it as a test has at the same time. */
const COPIES = 3

/**
 * Makes a drive of `bytes`, in memory (only what was written takes room), mounted on a fresh directory. It goes with all that belongs to it, and with the
 * cuts that are still there, when it is disposed, and when this program is killed. Only where `canCutPower()`.
 */
export async function mountDrive({ bytes }: { readonly bytes: number }): Promise<Drive> {
  const undo = new Undo()
  try {
    const memory = mountTmpfs({ bytes: (COPIES + 1) * withRoomFor(bytes) })
    const afterwards = unmountAfterwards(memory.path)
    undo.push(() => afterwards.nothing())
    undo.push(() => memory[Symbol.asyncDispose]())
    const floor = join(memory.path, 'floor')
    makeImage(`${floor}.img`, withRoomFor(bytes), ['-O', '^has_journal', '-m', '0'])
    mountImage(`${floor}.img`, floor, undo)
    const medium = join(floor, 'medium')
    makeImage(medium, bytes)
    const path = join(memory.path, 'drive')
    const uncached = attachLoop(medium, undo)
    afterwards.detach(uncached)
    const cached = attachLoop(uncached, undo)
    afterwards.detach(cached)
    mountDevice(cached, path, undo)
    let cuts = 0
    return {
      path,
      async powerCut() {
        cuts++
        const cut = await cutPower({ floor, medium, copy: join(memory.path, `cut-${cuts}`) })
        undo.push(() => cut[Symbol.asyncDispose]())
        return cut
      },
      [Symbol.asyncDispose]: () => undo.run(),
    }
  } catch (error) {
    return await undo.runAfter(error)
  }
}

interface Cut {
  readonly floor: string
  readonly medium: string
  readonly copy: string
}

async function cutPower({ floor, medium, copy }: Cut): Promise<PowerCut> {
  const undo = new Undo()
  const image = `${copy}.img`
  undo.push(() => rmSync(image, { force: true }))
  try {
    const at = await whileItStandsStill(floor, async (since) => {
      await promisify(execFile)('cp', ['--sparse=auto', medium, image])
      return since
    })
    mountImage(image, copy, undo)
    return { path: copy, at, [Symbol.asyncDispose]: () => undo.run() }
  } catch (error) {
    return await undo.runAfter(error)
  }
}
