import { appendFileSync, readdirSync, statSync } from 'node:fs'

/** RocksDB's write-ahead log is a row of blocks; a record's head does not reach into the next one. */
const BLOCK_BYTES = 32_768
const HEAD_BYTES = 7
const FULL_RECORD = 1
const PUT = 1
/** After everything that a test has written. */
const SEQUENCE = 1_000_000_000n

/**
 * Puts a value into a RocksDB database that nobody has open, as a program of another version would have: a record at the end of
 * its log, which is carried out when the database is opened next.
 */
export function putIntoLog(databaseDir: string, key: string | Buffer, value: Buffer): void {
  const logs = readdirSync(databaseDir).filter((name) => /^\d+\.log$/.test(name))
  const log = `${databaseDir}/${logs.sort().at(-1)}`
  const left = BLOCK_BYTES - (statSync(log).size % BLOCK_BYTES)
  const name = Buffer.from(key)
  const batch = Buffer.concat([Buffer.alloc(12), Buffer.of(PUT, name.length), name, Buffer.of(value.length), value])
  batch.writeBigUInt64LE(SEQUENCE, 0)
  batch.writeUInt32LE(1, 8)
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32LE(masked(crc32c(Buffer.concat([Buffer.of(FULL_RECORD), batch]))), 0)
  head.writeUInt16LE(batch.length, 4)
  head.writeUInt8(FULL_RECORD, 6)
  const filler = left < HEAD_BYTES + batch.length ? left : 0
  if (filler >= HEAD_BYTES) throw new Error(`${log}: a record here would have to be split`)
  appendFileSync(log, Buffer.concat([Buffer.alloc(filler), head, batch]))
}

/** A checksum of data that contain checksums is turned, so says the format. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}
