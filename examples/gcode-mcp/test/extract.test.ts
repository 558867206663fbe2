import { describe, expect, test } from 'vitest'
import { extract } from '../src/extract.ts'
import type { LanguageName } from '../src/languages.ts'

interface Example {
  readonly language: LanguageName
  readonly source: string
  /** `kind qualified` of each definition, in their order. */
  readonly symbols: readonly string[]
  /** `kind name @ symbol around it`: some of what is mentioned. */
  readonly mentions: readonly string[]
  /** Names that stand in the text and are not mentioned: locals, parameters, parts of definitions. */
  readonly silent: readonly string[]
}

const EXAMPLES: readonly Example[] = [
  {
    language: 'typescript',
    source: `import { lock as l } from './lock.ts'
export abstract class Pool<T> extends Base implements Closes {
  static #made = 0
  abstract take(): void
  claim(wait: Wait): Slot {
    const slot = new Slot(wait)
    this.#made
    return l(slot)
  }
}
interface Closes { close(): void; readonly how: string }
export type Wait = { readonly ms: number }
enum Mode { Fast, Slow = 2 }
export const retry = () => helper(MAX)
namespace Inner.Deep { export function deep() {} }
function outer({ a, b: c }: Wait) { function inner() { return a + c } return inner }
export { retry as again }
`,
    symbols: [
      ...['class Pool', 'field Pool.made', 'method Pool.take', 'method Pool.claim'],
      ...['interface Closes', 'method Closes.close', 'field Closes.how', 'type Wait', 'field Wait.ms'],
      ...['enum Mode', 'constant Mode.Fast', 'constant Mode.Slow', 'function retry'],
      ...['module Inner.Deep', 'function Inner.Deep.deep', 'function outer', 'function outer.inner'],
    ],
    mentions: [
      ...[
        'import lock @ ',
        'inherit Base @ Pool',
        'inherit Closes @ Pool',
        'type Wait @ Pool.claim',
        'new Slot @ Pool.claim',
      ],
      ...['call l @ Pool.claim', 'use made @ Pool.claim', 'call helper @ retry', 'use MAX @ retry', 'export retry @ '],
    ],
    silent: ['slot', 'wait', 'c', 'again', 'Deep'],
  },
  {
    language: 'tsx',
    source: `export default function App({ title }: Props) {
  const onClick = () => save(title)
  return <Button onClick={onClick}><Label>{title}</Label></Button>
}
`,
    symbols: ['function App', 'function App.onClick'],
    mentions: [
      'type Props @ App',
      'call save @ App.onClick',
      'call Button @ App',
      'call Label @ App',
      'use onClick @ App',
    ],
    silent: ['title'],
  },
  {
    language: 'javascript',
    source: `const LIMIT = 3
class Pool extends Base { #size = 1; claim(wait) { return lock(wait, LIMIT) } }
const later = function () { try { new Pool() } catch (error) { report(error) } }
function* all() { for (const slot of slots()) yield slot.id }
`,
    symbols: ['constant LIMIT', 'class Pool', 'field Pool.size', 'method Pool.claim', 'function later', 'function all'],
    mentions: [
      'inherit Base @ Pool',
      'call lock @ Pool.claim',
      'use LIMIT @ Pool.claim',
      'new Pool @ later',
      'use id @ all',
      'call slots @ all',
    ],
    silent: ['wait', 'error', 'slot'],
  },
  {
    language: 'python',
    source: `from a.b import Thing, other as o
LIMIT: int = 3
class Pool(Base):
    size = 3
    def claim(self, wait: Thing = None, *args):
        for slot in self.slots:
            slot.lock(wait)
        return helper(LIMIT, key=1)
@decorate
def helper(x):
    def inner(y): return y
    return Pool(x).claim(x)
`,
    symbols: [
      'constant LIMIT',
      'class Pool',
      'field Pool.size',
      'method Pool.claim',
      'function helper',
      'function helper.inner',
    ],
    mentions: [
      ...[
        'import Thing @ ',
        'inherit Base @ Pool',
        'type Thing @ Pool.claim',
        'call lock @ Pool.claim',
        'call helper @ Pool.claim',
      ],
      ...[
        'use LIMIT @ Pool.claim',
        'call decorate @ ',
        'call Pool @ helper',
        'call claim @ helper',
        'use slots @ Pool.claim',
      ],
    ],
    silent: ['slot', 'wait', 'x', 'y', 'key', 'self'],
  },
  {
    language: 'rust',
    source: `use std::io::{self, Read};
pub const MAX: usize = 3;
pub struct Pool<T> { pub size: usize, t: T }
impl<T> Pool<T> { pub fn claim(&self, wait: bool) -> Slot { let x = helper(wait); self.lock(x); Slot { id: MAX } } }
impl Drop for Slot { fn drop(&mut self) { println!("{}", self.id); inner::free(self) } }
enum Mode { Fast, Slow(u8) }
mod inner { pub fn free(s: &Slot) {} }
macro_rules! twice { () => {} }
trait Lock { fn lock(&self, n: u8); }
`,
    symbols: [
      ...[
        'constant MAX',
        'struct Pool',
        'field Pool.size',
        'field Pool.t',
        'method Pool.claim',
        'method Slot.drop',
        'enum Mode',
      ],
      ...[
        'constant Mode.Fast',
        'constant Mode.Slow',
        'module inner',
        'function inner.free',
        'macro twice',
        'interface Lock',
        'method Lock.lock',
      ],
    ],
    mentions: [
      ...[
        'import Read @ ',
        'call helper @ Pool.claim',
        'call lock @ Pool.claim',
        'new Slot @ Pool.claim',
        'use MAX @ Pool.claim',
      ],
      ...['inherit Drop @ ', 'call println @ Slot.drop', 'call free @ Slot.drop'],
    ],
    silent: ['x', 'wait', 's'],
  },
  {
    language: 'go',
    source: `package p
const Max = 3
var current = 1
type Pool struct { Size int; Base }
type Locker interface { Lock(n int) error }
type ID = string
func (p *Pool) Claim(wait bool) (*Slot, error) { x := helper(wait); p.lock(x); return &Slot{id: Max}, nil }
func (p Pool) lock(n int) { for i, q := range p.items { fmt.Println(i, q) } }
func helper[T any](w T) int { return Max }
`,
    symbols: [
      ...[
        'constant Max',
        'constant current',
        'struct Pool',
        'field Pool.Size',
        'interface Locker',
        'method Locker.Lock',
        'type ID',
      ],
      ...['method Pool.Claim', 'method Pool.lock', 'function helper'],
    ],
    mentions: [
      'type Base @ Pool',
      'call helper @ Pool.Claim',
      'call lock @ Pool.Claim',
      'new Slot @ Pool.Claim',
      'use Max @ helper',
      'call Println @ Pool.lock',
    ],
    silent: ['x', 'wait', 'i', 'q', 'n', 'w'],
  },
  {
    language: 'java',
    source: `package p; import java.util.List;
public class Pool<T> extends Base implements Lock {
  private final int size = Max.VALUE;
  enum Mode { WAIT, FAIL }
  public Pool(int first) { this.size = first; }
  public Slot claim(boolean wait) { int x = helper(wait); this.lock(x); items.forEach(this::lock); return new Slot(x, MAX); }
  static <Q> List<Q> helper(boolean w) { return null; }
}
interface Lock { void lock(int n); }
record Pair(int a) {}
`,
    symbols: [
      ...[
        'class Pool',
        'field Pool.size',
        'enum Pool.Mode',
        'constant Pool.Mode.WAIT',
        'constant Pool.Mode.FAIL',
        'method Pool.Pool',
      ],
      ...['method Pool.claim', 'method Pool.helper', 'interface Lock', 'method Lock.lock', 'class Pair'],
    ],
    mentions: [
      ...[
        'import List @ ',
        'inherit Base @ Pool',
        'inherit Lock @ Pool',
        'call helper @ Pool.claim',
        'call lock @ Pool.claim',
      ],
      ...['use lock @ Pool.claim', 'new Slot @ Pool.claim', 'use MAX @ Pool.claim', 'use VALUE @ Pool.size'],
    ],
    silent: ['x', 'wait', 'first', 'w'],
  },
  {
    language: 'cpp',
    source: `#define MAX 3
namespace n {
class Pool : public Base { public: int size; Slot* claim(bool wait); int get() const { return size; } };
Slot* Pool::claim(bool wait) { int x = helper(wait); this->lock(x); return new Slot(MAX); }
}
static int helper(bool w) { return n::deep(w); }
struct Slot { int id; };
typedef struct { int a; } Pair;
enum Mode { Fast, Slow };
char *name(void) { return 0; }
`,
    symbols: [
      ...[
        'macro MAX',
        'module n',
        'class n.Pool',
        'field n.Pool.size',
        'method n.Pool.claim',
        'method n.Pool.get',
        'method n.Pool.claim',
      ],
      ...[
        'function helper',
        'struct Slot',
        'field Slot.id',
        'type Pair',
        'field Pair.a',
        'enum Mode',
        'constant Mode.Fast',
        'constant Mode.Slow',
        'function name',
      ],
    ],
    mentions: [
      ...[
        'inherit Base @ n.Pool',
        'use size @ n.Pool.get',
        'call helper @ n.Pool.claim',
        'call lock @ n.Pool.claim',
        'new Slot @ n.Pool.claim',
      ],
      ...['use MAX @ n.Pool.claim', 'call deep @ helper'],
    ],
    silent: ['x', 'wait', 'w'],
  },
]

describe.each(EXAMPLES)('$language', ({ language, source, symbols, mentions, silent }) => {
  test('what a file defines, and in what', async () => {
    const found = await extract(language, source)
    expect(found?.symbols.map(({ kind, qualified }) => `${kind} ${qualified}`)).toEqual(symbols)
  })

  test('what it mentions, how and where, without its locals', async () => {
    const found = await extract(language, source)
    const all = found?.mentions.flatMap(({ name, sites }) =>
      sites.map(({ kind, within }) => `${kind} ${name} @ ${within ?? ''}`),
    )
    expect(all).toEqual(expect.arrayContaining([...mentions]))
    for (const name of silent) expect(found?.mentions.map((mention) => mention.name)).not.toContain(name)
  })

  test('every mention stands where its name is written', async () => {
    const lines = source.split('\n')
    const found = await extract(language, source)
    for (const { name, sites } of found?.mentions ?? []) {
      for (const { line, column } of sites)
        expect(lines[line - 1]?.slice(column - 1).replace(/^#/, ''), name).toMatch(new RegExp(`^${name}`))
    }
    for (const { name, line, column } of found?.symbols ?? []) {
      expect(lines[line - 1]?.slice(column - 1).replace(/^#/, ''), name).toMatch(new RegExp(`^${name.split('.')[0]}`))
    }
  })
})

test('the hash of a symbol changes with its text and not with what stands around it', async () => {
  const body = async (source: string) =>
    (await extract('typescript', source))?.symbols.find(({ name }) => name === 'f')?.body
  const before = await body('function f() { return 1 }')
  expect(await body('\n// Moved.\nfunction f() { return 1 }\nfunction g() {}')).toBe(before)
  expect(await body('function f() { return 2 }')).not.toBe(before)
})

test('a signature is what stands before the body, on one line', async () => {
  const found = await extract(
    'typescript',
    'export async function f<T>(\n  a: T,\n  b = 1,\n): Promise<T> {\n  return a\n}',
  )
  expect(found?.symbols[0]?.signature).toBe('async function f<T>( a: T, b = 1, ): Promise<T>')
})

test('what a file with syntax errors has beside them is found', async () => {
  const found = await extract('typescript', 'function good() {}\nfunction bad( {\nclass Fine { m() {} }\n')
  expect(found?.symbols.map(({ qualified }) => qualified)).toContain('good')
})

test('names beyond ASCII are found, and columns count as in a JavaScript string', async () => {
  const found = await extract('python', "größe = '€𝄞'; weite = 1\ndef fläche(): return größe * weite\n")
  expect(found?.symbols.map(({ name, column }) => `${name} ${column}`)).toEqual(['größe 1', 'weite 16', 'fläche 5'])
})
