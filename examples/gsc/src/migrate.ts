import type { Surreal } from 'surrealdb'
import { Mistake } from './mistake.ts'
import { MIGRATIONS } from './schema.ts'

/**
 * Brings the schema to this program's version.
 *
 * Guarantee: each step is one transaction that also moves the version, so programs that start at the same moment, or die in the
 * middle, leave every step either done once or not begun.
 * Throws `Mistake` when the database was written by a newer program: its tables may mean something else by now.
 */
export async function migrate(db: Surreal): Promise<void> {
  await db.query('DEFINE TABLE IF NOT EXISTS schema SCHEMAFULL').retry()
  await db.query('DEFINE FIELD IF NOT EXISTS version ON schema TYPE int').retry()
  for (;;) {
    const version = await currentVersion(db)
    if (version > MIGRATIONS.length) {
      throw new Mistake(
        `The database has schema version ${version}, and this program knows versions up to ${MIGRATIONS.length}. ` +
          'Update this program, or use another directory (GSC_DIR).',
      )
    }
    const step = MIGRATIONS[version]
    if (step === undefined) return
    try {
      await db
        .query(
          `BEGIN;
          IF ((SELECT VALUE version FROM ONLY schema:gsc) ?? 0) != $version { THROW 'another program was faster' };
          ${step}
          UPSERT schema:gsc SET version = $version + 1;
          COMMIT`,
          { version },
        )
        .retry()
    } catch (error) {
      // A failed transaction does not say which statement failed it. If another program was faster all is well; the number of
      // steps is then the bound of this loop.
      if ((await currentVersion(db)) === version) throw error
    }
  }
}

async function currentVersion(db: Surreal): Promise<number> {
  const [version] = await db.query<[number | undefined]>('SELECT VALUE version FROM ONLY schema:gsc').retry()
  return version ?? 0
}
