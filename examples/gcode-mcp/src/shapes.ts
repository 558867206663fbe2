import { z } from 'zod'

export const location = {
  root: z.string().describe('The indexed folder'),
  path: z.string().describe('Relative to the folder'),
}

export const symbolName = z
  .string()
  .min(1)
  .describe('"name", "Container.name" or "path/to/file.ts#Container.name"; the end of a path will do')

export const folderPath = z.string().min(1).describe('Absolute path of a folder')

export const limited = (most: number, usual: number) =>
  z.number().int().min(1).max(most).default(usual).describe('At most so many results')

/** A definition, as all tools answer it. */
export const symbolShape = {
  ...location,
  language: z.string(),
  kind: z.string().describe('function, method, class, interface, type, enum, constant, field, struct, module or macro'),
  name: z.string(),
  container: z.string().optional(),
  qualified: z.string().describe('Container and name'),
  signature: z.string(),
  line: z.number().int(),
  column: z.number().int(),
  endLine: z.number().int(),
  body: z.string().describe('Hash of its text'),
}

/** A symbol that a question was about: where it is defined can be asked for. */
export const resolvedShape = { ...location, qualified: z.string(), kind: z.string() }

export const folderShape = {
  root: z.string(),
  files: z.number().int(),
  symbols: z.number().int(),
  indexedAt: z.string().optional().describe('Missing until an index run has reached its end'),
}
