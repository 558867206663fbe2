import { z } from 'zod'
import { LINK_STATES, type Link } from './links.ts'
import { type Spec, STATUSES } from './specs.ts'

export const specId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'letters, digits, ".", "_" and "-", at most 64')
  .describe('What the specification is called, e.g. "slot-claim"')
export const specTitle = z.string().min(1).max(200).describe('One line')
export const specText = z.string().max(100_000).describe('What has to hold, in Markdown')
export const specStatus = z.enum(STATUSES)
export const symbolName = z
  .string()
  .min(1)
  .max(1_000)
  .describe('"name", "Container.name" or "path/to/file.ts#Container.name"; the end of a path will do')

export const specShape = {
  id: z.string(),
  title: z.string(),
  text: z.string(),
  status: specStatus,
  createdAt: z.string(),
  updatedAt: z.string(),
}

export const linkShape = {
  spec: z.string(),
  symbol: z.string().describe('As it was linked'),
  state: z.enum(LINK_STATES),
  at: z.string().optional().describe('Where the symbol is now'),
}

/** As tools and resources answer it. */
export function plainLink({ spec, symbol, state, resolved }: Link): z.infer<z.ZodObject<typeof linkShape>> {
  const line = resolved?.definitions[0]?.line
  return { spec, symbol, state, ...(resolved && { at: `${resolved.root}/${resolved.path}:${line}` }) }
}

export function describeSpec({ id, title, status }: Spec): string {
  return `${id} (${status}): ${title}`
}

export function describeLink(link: Link): string {
  const { symbol, state, at } = plainLink(link)
  return `${symbol}: ${state}${at === undefined ? '' : `, ${at}`}`
}
