import { type Colors, colorsFor, print, printJson } from './output.ts'

/** Prints what a command found: as JSON if asked, else in the command's own words. */
export function show<R>(
  { json }: { readonly json?: boolean },
  result: R,
  view: (result: R, colors: Colors) => string,
): void {
  if (json === true) {
    printJson(result)
    return
  }
  const text = view(result, colorsFor(1))
  if (text !== '') print(text)
}
