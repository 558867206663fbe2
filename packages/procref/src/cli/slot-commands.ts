import type { Command } from 'commander'
import type { MigrateOptions } from '../commands/migrate.ts'
import type { SlotHoldOptions } from '../commands/slot-hold.ts'
import type { SlotListOptions } from '../commands/slot-list.ts'
import type { SlotTryOptions } from '../commands/slot-try.ts'
import { addJsonOption, addPlaceOptions, declare, optionsOf } from './declare.ts'
import { parseDuration } from './option-values.ts'
import { slotsOption, unsafeFilesystemOption } from './service-commands.ts'
import { show } from './show.ts'

/** `procref slot …`: the slots alone, without any server. */
export function addSlotCommands(program: Command): void {
  const slot = declare(program, {
    name: 'slot',
    summary: 'work with the slots alone, without a server',
    group: 'Slots:',
    details:
      'A directory has a fixed number of slots (100 unless said otherwise). A process holds one by a lock that ends with it.',
    examples: [
      ['procref slot hold', 'hold a slot until Ctrl-D'],
      ['procref slot list', 'who holds the slots'],
    ],
  })
  addPlaceOptions(slot)
  slot.helpGroup('Slots:')

  const hold = declare(slot, {
    name: 'hold',
    summary: 'claim a slot and hold it until stdin ends or a signal comes',
    group: 'Commands:',
    details:
      'Prints one JSON line, {"slot":…,"pid":…,"backend":"…"}, once the slot is held. Exits with 75 when all slots are in use.',
    examples: [
      ['procref slot hold', 'hold a slot until Ctrl-D or Ctrl-C'],
      ['procref slot hold --dir /tmp/demo --slots 3 --backend flock', 'one of three slots in a directory of its own'],
      ['procref slot hold --wait 30s', 'wait for a slot when all are in use'],
    ],
  })
  addPoolOptions(hold)
    .option('--wait <time>', 'how long to wait for a slot when all are in use', parseDuration)
    .option('--label <text>', 'who holds the slot, for people')
    .action(async () => {
      const { holdSlot } = await import('../commands/slot-hold.ts')
      await holdSlot(optionsOf<SlotHoldOptions>(hold))
    })

  const attempt = declare(slot, {
    name: 'try',
    summary: 'claim a slot and give it back at once',
    group: 'Commands:',
    details: 'Exits with 75 when all slots are in use.',
    examples: [['procref slot try', 'is a slot free?']],
  })
  addPoolOptions(attempt).action(async () => {
    const options = optionsOf<SlotTryOptions>(attempt)
    const { trySlot, viewSlotTry } = await import('../commands/slot-try.ts')
    show(options, await trySlot(options), viewSlotTry)
  })

  const list = declare(slot, {
    name: 'list',
    summary: 'show who holds the slots',
    group: 'Commands:',
    details: 'Found by probing the locks; changes nothing and makes nothing.',
    examples: [
      ['procref slot list', 'as a table'],
      ['procref slot list --json', 'for programs'],
    ],
  })
  addPoolOptions(list).action(async () => {
    const options = optionsOf<SlotListOptions>(list)
    const { listSlots, viewSlotList } = await import('../commands/slot-list.ts')
    show(options, await listSlots(options), viewSlotList)
  })
}

/** `procref migrate`: the slots of a directory, made with another backend from now on. */
export function addMigrateCommand(program: Command): void {
  const migrate = declare(program, {
    name: 'migrate',
    summary: 'move the slots of a directory to another backend',
    group: 'Slots:',
    details:
      'Refused while anybody holds a slot or the server runs, and says who. Can be killed at any moment and run again. Touches no data. ' +
      'Also removes what the crate procref 0.1.0 has left, if it is proven that nobody uses it. To move while programs run, see docs/migration.md.',
    examples: [
      ['procref migrate --to ofd-range --dry-run', 'could it be done now?'],
      ['procref migrate --to ofd-range', 'do it'],
    ],
  })
  addJsonOption(addPlaceOptions(migrate).addOption(unsafeFilesystemOption()))
    .requiredOption('--to <backend>', 'what makes the slots from now on')
    .option('--dry-run', 'only say what would be done; changes nothing')
    .action(async () => {
      const options = optionsOf<MigrateOptions>(migrate)
      const { migrateDirectory, viewMigrate } = await import('../commands/migrate.ts')
      show(options, await migrateDirectory(options), viewMigrate)
    })
}

function addPoolOptions(command: Command): Command {
  addPlaceOptions(command)
  command.addOption(slotsOption()).addOption(unsafeFilesystemOption())
  return addJsonOption(command)
}
