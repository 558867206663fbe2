import { LiveSubscription, SurrealApi, SurrealQueryable } from 'surrealdb'

/**
 * Sees what is called on the SDK's objects, from outside: the SDK itself stays as it is. Objects that a call answers with are
 * watched too.
 */
export class Witness {
  /** How often each was called, as `Class.method`. */
  readonly #calls = new Map<string, number>()
  /** `Class.getter`, and of the plain objects that were handed in `Class.method.option`. */
  readonly #seen = new Set<string>()
  readonly #targets = new WeakMap<object, object>()

  /** Of methods and constructors. */
  get calls(): number {
    return [...this.#calls.values()].reduce((sum, calls) => sum + calls, 0)
  }

  get methods(): number {
    return this.#calls.size
  }

  saw(member: string): boolean {
    return this.#calls.has(member) || this.#seen.has(member)
  }

  /** Notes a call, with the names of its options. */
  note(call: string, args: readonly unknown[]): void {
    this.#calls.set(call, (this.#calls.get(call) ?? 0) + 1)
    for (const argument of args) this.#noteOptions(call, argument)
  }

  /** The object itself, if it is a watched one. */
  plain(value: unknown): unknown {
    return (typeof value === 'object' && value !== null && this.#targets.get(value)) || value
  }

  watch<T extends object>(target: T): T {
    const watched = new Proxy(target, {
      get: (_, key) => {
        const value: unknown = Reflect.get(target, key, target)
        const name = `${target.constructor.name}.${String(key)}`
        if (key === 'then') return this.#then(target as unknown as Promise<unknown>)
        if (typeof value !== 'function') {
          this.#seen.add(name)
          return this.#answer(value)
        }
        if (key === 'constructor') return value
        return (...args: unknown[]) => {
          this.note(name, args)
          return this.#answer(
            Reflect.apply(
              value,
              target,
              args.map((argument) => this.plain(argument)),
            ),
          )
        }
      },
    })
    this.#targets.set(watched, target)
    return watched
  }

  #then(target: Promise<unknown>): unknown {
    if (!(target instanceof Promise)) return undefined
    return (fulfilled?: (value: unknown) => unknown, rejected?: (error: unknown) => unknown) =>
      target.then(fulfilled && ((value) => fulfilled(this.#answer(value))), rejected)
  }

  #answer(value: unknown): unknown {
    if (value instanceof SurrealQueryable || value instanceof SurrealApi || value instanceof LiveSubscription)
      return this.watch(value)
    if (!(value instanceof Promise)) return value
    return value.constructor === Promise ? value.then((result) => this.#answer(result)) : this.watch(value)
  }

  #noteOptions(call: string, argument: unknown, depth = 0): void {
    if (typeof argument !== 'object' || argument === null || Object.getPrototypeOf(argument) !== Object.prototype)
      return
    for (const [option, value] of Object.entries(argument)) {
      this.#seen.add(`${call}.${option}`)
      if (depth === 0) this.#noteOptions(`${call}.${option}`, value, 1)
    }
  }
}
