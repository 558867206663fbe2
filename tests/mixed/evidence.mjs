// Who has a slot, found out without any lock: while a holder has slot k, `EVIDENCE/k` is a link to the file with its name in it
// (`PID START_TICKS`). Whoever has got the slot and finds somebody else's mark asks the kernel about that process. It is over, or
// about to be: the mark of one that was killed, which is taken away. It lives: two holders of one slot, the overlap.
//
// The question has no race: a process is marked as exiting before the kernel lets go of its first lock, so of a holder that
// lost the slot by its death we can only find that. `EVIDENCE/killed.log` grows by a byte for each such mark.
import { appendFileSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PF_EXITING = 0x4
const SIGKILL_PENDING = 0x100n

/** Of a millisecond each. */
const LOOKS = 50
const NEVER = new Int32Array(new SharedArrayBuffer(4))

export class Evidence {
  #dir
  #who
  #name
  #log
  #killed
  #isOver

  /**
   * `byThread`: the slots are held by a thread of their own (robust mutexes). Of a process that was killed it may end before the thread whose
   * flags are asked for; that one has been told by then as well, and does nothing any more but end.
   */
  constructor(dir, kind, { byThread = false } = {}) {
    const start = statFields(process.pid)?.[19]
    this.#dir = dir
    this.#who = `${process.pid} ${start}`
    this.#name = join(dir, `${process.pid}-${start}.name`)
    this.#log = join(dir, `${kind}.log`)
    this.#killed = join(dir, 'killed.log')
    this.#isOver = byThread ? isOverOrKilled : isOver
    writeFileSync(this.#name, this.#who)
  }

  /** Call it with the slot in hand; the function returned, before the slot is released. */
  mark(slot) {
    const mark = join(this.#dir, String(slot))
    while (!isLinked(this.#name, mark)) this.#question(slot, mark)
    appendFileSync(this.#log, '.')
    return () => rmSync(mark, { force: true })
  }

  #question(slot, mark) {
    const other = read(mark)
    if (other !== undefined && this.#isOver(other)) appendFileSync(this.#killed, '.')
    else {
      console.log(JSON.stringify({ event: 'overlap', slot, who: this.#who, other: other ?? '(gone meanwhile)' }))
    }
    rmSync(mark, { force: true })
  }
}

function isLinked(name, mark) {
  try {
    linkSync(name, mark)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  }
}

function isOver(who) {
  const [pid, start] = who.split(' ')
  const fields = statFields(pid)
  return (
    fields === undefined || fields[19] !== start || /^[ZX]/.test(fields[0]) || (Number(fields[6]) & PF_EXITING) !== 0
  )
}

/**
 * As `isOver`, also while its SIGKILL is pending. A moment lies between that and the mark of its exit, in which neither can be seen: so it is asked
 * again for a while. One that lives stays alive for that long.
 */
function isOverOrKilled(who) {
  for (let look = 0; look < LOOKS; look++) {
    if (isKilled(who) || isOver(who)) return true
    Atomics.wait(NEVER, 0, 0, 1)
  }
  return false
}

/** Is there a SIGKILL that it has not yet died of? */
function isKilled(who) {
  const [pid] = who.split(' ')
  const pending = /^SigPnd:\t([0-9a-f]+)$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  // No such line: it has gone in between.
  return pending === undefined || (BigInt(`0x${pending}`) & SIGKILL_PENDING) !== 0n
}

/** `/proc/PID/stat` from its third field on; `undefined`: there is no such process. */
function statFields(pid) {
  const stat = read(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(') ') + 2).split(' ')
}

function read(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined
    throw error
  }
}
