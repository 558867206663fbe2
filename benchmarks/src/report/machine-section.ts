import { formatDate, formatNumber, formatSeconds } from '../format.ts'
import type { Noise, Results } from '../results.ts'
import { type Content, html, type Markup } from './html.ts'

/** Above these, absolute times are not to be cited. */
const MUCH_SPREAD = 1.25
const MUCH_STEAL = 0.02
const MUCH_LOAD_PER_CPU = 0.5

/** On what, when and how it was measured, and how far the numbers can be trusted. */
export function machineSection(results: Results): Markup {
  const { machine, noise, versions } = results
  return html`<h3 id="trust">How far to trust the numbers</h3>
<p>${noiseAdvice(noise)}</p>
<ul>
${trustReasons(results).map((reason) => html`<li>${reason}</li>\n`)}</ul>
<h3 id="facts">Machine and versions</h3>
${facts([
  ['Measured', `${formatDate(results.date)} UTC, scale ${results.scale}, ${formatSeconds(results.tookSeconds)}`],
  ['Processors', machine.cpus],
  ['Memory', `${machine.memoryGb} GB`],
  ['Kernel', machine.kernel],
  ['File system', machine.filesystem],
  ['Virtualization', machine.virtualization],
  ['Node.js', machine.node],
  ['Load', `${formatNumber(noise.loadBefore)} before, ${formatNumber(noise.loadAfter)} after`],
  ['Steal', noise.steal === undefined ? 'not told by this system' : percent(noise.steal)],
  ['Spread of fixed work', `${formatNumber(noise.spread)} × (95th percentile over median)`],
  ['Priority', noise.priority],
  ...Object.entries(versions)
    .filter(([name]) => name !== 'node')
    .map(([name, version]) => [name, version] as const),
  ...results.subjects.flatMap(({ title, version }) => (version === undefined ? [] : [[title, version] as const])),
])}
<h3 id="method">Method</h3>
<p>The subjects of a scenario take turns, so that whatever else the machine does meets all of them; every turn is a new process with a new
folder. A sample is one event, or the mean of a batch where one event is shorter than the clock can tell: each scenario says which. Shown are medians and
percentiles, never means, since a few slow samples are part of the answer and not an error. The interval of a median and of a fitted exponent is the 95 % interval of a
bootstrap with 1,000 resamples. A curve is the power law through the medians, by least squares over logarithms.
All numbers of this page are in <code>results.json</code>; <code>--compare</code> compares two of them.</p>
`
}

/** One sentence for whoever reads no further. */
export function noiseAdvice(noise: Noise): string {
  const isUneven = noise.spread > MUCH_SPREAD || (noise.steal ?? 0) > MUCH_STEAL
  return isUneven
    ? `The machine was uneven during this run (the same work varied by a factor of ${formatNumber(noise.spread)}): trust ratios within this page, and cite no absolute time.`
    : `The machine was even during this run (the same work varied by a factor of ${formatNumber(noise.spread)}): ratios hold, and absolute times are good for this machine.`
}

function trustReasons({ noise, machine }: Results): readonly string[] {
  const cpus = Number.parseInt(machine.cpus, 10)
  const load = Math.max(noise.loadBefore, noise.loadAfter)
  return [
    `The same fixed piece of work, timed again and again between the measurements, took ${formatNumber(noise.spread)} times its median at the 95th percentile. A difference between two subjects that is smaller than this and whose intervals overlap is no difference.`,
    noise.steal === undefined
      ? 'This system does not tell how much time its hypervisor gave to others.'
      : noise.steal > MUCH_STEAL
        ? `The hypervisor gave ${percent(noise.steal)} of the processors’ time to others: maxima and 99th percentiles are as much theirs as the subject’s.`
        : `The hypervisor gave ${percent(noise.steal)} of the processors’ time to others, which is little.`,
    Number.isFinite(cpus) && noise.loadBefore > cpus * MUCH_LOAD_PER_CPU
      ? `The machine was busy before the run began (load ${formatNumber(noise.loadBefore)} on ${cpus} processors): whatever waits for a processor waited for that work, too.`
      : `Little else ran before it began (load ${formatNumber(noise.loadBefore)}; at most ${formatNumber(load)} with the benchmark's own work).`,
    noise.priority === 'real-time'
      ? 'It ran with real-time priority, which ordinary programs do not have: they will see larger maxima.'
      : 'It ran with the priority of an ordinary program.',
    ...(machine.virtualization === 'virtual machine'
      ? [
          'In a virtual machine wake-ups and system calls cost more than on hardware; ratios between subjects that do both alike change least.',
        ]
      : []),
  ]
}

function facts(all: readonly (readonly [string, Content])[]): Markup {
  return html`<dl class="facts">${all.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`
}

function percent(share: number): string {
  return `${formatNumber(share * 100)} %`
}
