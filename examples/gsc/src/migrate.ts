import type { Surreal } from 'surrealdb'
import { Mistake } from './mistake.ts'
import { runQuery } from './run-query.ts'
import { MIGRATIONS } from './schema.ts'

/**
 * Brings the schema to this program's version.
 *
 * Guarantee: each step is one transaction that also moves the version, so programs that start at the same moment, or die in the
 * middle, leave every step either done once or not begun.
 * Throws `Mistake` when the database was written by a newer program: its tables may mean something else by now.
 */
export async function migrate(db: Surreal): Promise<void> {
  await runQuery(db, 'DEFINE TABLE IF NOT EXISTS schema SCHEMAFULL', {})
  await runQuery(db, 'DEFINE FIELD IF NOT EXISTS version ON schema TYPE int', {})
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
      await runQuery(
        db,
        `BEGIN;
        IF ((SELECT VALUE version FROM ONLY schema:gsc) ?? 0) != $version { THROW 'another program was faster' };
        ${step}
        UPSERT schema:gsc SET version = $version + 1;
        COMMIT`,
        { version },
      )
    } catch (error) {
      // If another program was faster all is well; the number of steps is then the bound of this loop.
      if ((await currentVersion(db)) === version) throw error
    }
  }
}

async function currentVersion(db: Surreal): Promise<number> {
  const [version] = await runQuery(db, 'SELECT VALUE version FROM ONLY schema:gsc', {})
  return typeof version === 'number' ? version : 0
}
