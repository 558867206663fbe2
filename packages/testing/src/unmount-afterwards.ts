import { spawn } from 'node:child_process'

/** Its standard input ends with this program; lines of it are loop devices, until the word that says that nothing is left to do. */
const WATCHER = `trap "" HUP INT TERM
devices=
while read -r line; do
  [ "$line" = done ] && exit
  devices="$line $devices"
done
umount --recursive --lazy "$1"
[ -z "$devices" ] || losetup --detach $devices
rmdir "$1"`

export interface Afterwards {
  /** A loop device that is to be detached as well. */
  detach(device: string): void
  /** Nothing is left: it was all undone by ourselves. */
  nothing(): void
}

/**
 * Unmounts whatever is mounted on and below `path`, and removes that directory, when this program ends without having done so: a test run that is killed
 * cannot clean up. Who still has files open there can go on with them; the devices go with the last of these.
 */
export function unmountAfterwards(path: string): Afterwards {
  const watcher = spawn('sh', ['-c', WATCHER, 'sh', path], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
    cwd: '/',
  })
  watcher.unref()
  const { stdin } = watcher
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  return {
    detach: (device) => void stdin.write(`${device}\n`),
    nothing: () => void stdin.end('done\n'),
  }
}
