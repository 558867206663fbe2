import { type Command, InvalidArgumentError, Option } from 'commander'
import type { BenchOptions } from '../commands/bench.ts'
import { addJsonOption, declare, optionsOf } from './declare.ts'

/** `procref bench`: what the backends, and others, cost on this machine. Uses no directory of a service. */
export function addBenchCommand(program: Command): void {
  const bench = declare(program, {
    name: 'bench',
    summary: 'measure all backends, and what others use, on this machine',
    group: 'Slots:',
    details:
      'Starts processes and servers of its own in a temporary folder, and ends them. Writes the results as JSON and a report as one HTML file, ' +
      'and prints a summary. What is not installed is named with how to get it. Needs the package @procref/bench. Exits with 1 when a measurement of procref itself failed.',
    examples: [
      ['procref bench', 'a part of everything, within ten minutes'],
      ['procref bench --scale full', 'for the record; an hour and a half'],
      ['procref bench --subjects native,flock --only uncontended', 'two backends, one question'],
      ['procref bench --compare procref-bench/20260101T120000Z.json', 'and what changed since'],
    ],
  })
  addJsonOption(bench)
    .addOption(
      new Option('--scale <name>', 'how much, and how often').choices(['guard', 'quick', 'full']).default('quick'),
    )
    .option('--subjects <names>', 'only these ways to have permits, separated by commas', parseNames)
    .option('--services <names>', 'only these ways to come to a database, separated by commas', parseNames)
    .option('--only <names>', 'only these scenarios and experiments, separated by commas', parseNames)
    .option('--list', 'show what can be measured, and measure nothing')
    .option('--compare <file>', 'say what changed since these results')
    .option('-o, --output <folder>', 'where the results and the report go', 'procref-bench')
    .action(async () => {
      const { runBench } = await import('../commands/bench.ts')
      await runBench(optionsOf<BenchOptions>(bench))
    })
}

function parseNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('Give names, separated by commas.')
  return names
}
