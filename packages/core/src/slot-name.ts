/** The seed's names: two digits at least, so that `ls` sorts the usual hundred. */
export function slotFileName(id: number): string {
  return `slot_${String(id).padStart(2, '0')}.lock`
}

/** The slot that a file name stands for; `undefined`: not a slot file. Also tells slots beyond the pool's size. */
export function slotOfFileName(name: string): number | undefined {
  const digits = /^slot_(\d{1,9})\.lock$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
