import type { Command } from 'commander'
import type { BackupCommandOptions } from '../commands/backup.ts'
import type { ExportCommandOptions } from '../commands/export.ts'
import type { ImportCommandOptions } from '../commands/import.ts'
import type { RestoreCommandOptions } from '../commands/restore.ts'
import { addJsonOption, declare, optionsOf } from './declare.ts'
import { addServiceOptions } from './service-commands.ts'
import { show } from './show.ts'

const GROUP = 'Move data, while it is in use:'

/** The commands that get data out and in. Each starts the server if nobody runs it, and loads what it does when it is used. */
export function addDataCommands(program: Command): void {
  const exporting = declare(program, {
    name: 'export [file]',
    summary: 'write one database as SurrealQL',
    group: GROUP,
    details:
      'As it was at one moment, however many programs write meanwhile. Without FILE it goes to standard output. FILE gets its name ' +
      'once it is complete; until then it is FILE.<random>.part beside it.',
    examples: [
      ['procref export shop.surql', 'into a file'],
      ['procref export --namespace app --database shop | gzip > shop.surql.gz', 'into a program'],
    ],
  })
  addJsonOption(addSelection(addServiceOptions(exporting), 'to export'))
    .option('--force', 'replace FILE, if it is there')
    .action(async (file: string | undefined) => {
      const { runExport } = await import('../commands/export.ts')
      await runExport(file, optionsOf<ExportCommandOptions>(exporting))
    })

  const importing = declare(program, {
    name: 'import <file>',
    summary: 'carry out the statements of an export',
    group: GROUP,
    details:
      '- reads standard input. It is no transaction: when a statement fails, exit code 1 and the message say which; the others are carried out.',
    examples: [
      ['procref import shop.surql', 'into the database main/main'],
      ['gunzip -c shop.surql.gz | procref import --database copy -', 'into another one'],
    ],
  })
  addJsonOption(addSelection(addServiceOptions(importing), 'to write into, made if missing')).action(
    async (file: string) => {
      const options = optionsOf<ImportCommandOptions>(importing)
      const { runImport, viewImport } = await import('../commands/import.ts')
      show(options, await runImport(file, options), viewImport)
    },
  )

  const backup = declare(program, {
    name: 'backup <folder>',
    summary: 'write all namespaces and databases into a new folder',
    group: GROUP,
    details:
      'Each database is as it was at one moment, one after the other. What no export has (users of the root and of namespaces, keys of accesses) ' +
      'is listed.',
    examples: [
      ['procref backup backup-1', 'all databases'],
      ['procref backup backup-1 --json', 'and tell a program what is in it'],
    ],
  })
  addJsonOption(addServiceOptions(backup)).action(async (folder: string) => {
    const options = optionsOf<BackupCommandOptions>(backup)
    const { runBackup, viewBackup } = await import('../commands/backup.ts')
    show(options, await runBackup(folder, options), viewBackup)
  })

  const restore = declare(program, {
    name: 'restore <folder>',
    summary: 'make the databases of a backup again',
    group: GROUP,
    details:
      'Checks the whole backup before it writes anything, and refuses databases in which there is something. End the programs that use ' +
      'them first.',
    examples: [
      ['procref restore backup-1', 'into an empty directory'],
      ['procref restore backup-1 --force', 'replacing the databases that the backup has'],
    ],
  })
  addJsonOption(addServiceOptions(restore))
    .option('--force', 'remove all that is in the databases that the backup has, first')
    .action(async (folder: string) => {
      const options = optionsOf<RestoreCommandOptions>(restore)
      const { runRestore, viewRestore } = await import('../commands/restore.ts')
      show(options, await runRestore(folder, options), viewRestore)
    })
}

function addSelection(command: Command, purpose: string): Command {
  return command
    .option('--namespace <name>', `the namespace ${purpose} (default: main)`)
    .option('--database <name>', `the database ${purpose} (default: main)`)
}
