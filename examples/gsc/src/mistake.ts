/** Something that whoever asked can put right: the message says what is wrong and what to do next. */
export class Mistake extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'Mistake'
  }
}
