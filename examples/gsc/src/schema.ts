/**
 * The tables, and who owns them. gcode writes `folder`, `file`, `symbol` and `mention`; gspec writes `spec` and `link`; each reads
 * all of them and writes no table of the other. Whichever of the two comes first makes all tables, so neither needs the other.
 */
export const NAMESPACE = 'gsc'
export const DATABASE = 'gsc'

/**
 * Step N leads from version N to version N + 1. Append; never change a step that somebody may have run.
 *
 * The ids of `file`, `symbol` and `mention` begin with folder and path, so that all rows of a file, or of a folder, are one range
 * of keys: they are read and replaced without an index.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- id: [root]. indexedAt is missing until an index run has reached its end.
  DEFINE TABLE folder SCHEMAFULL;
  DEFINE FIELD root ON folder TYPE string;
  DEFINE FIELD indexedAt ON folder TYPE option<datetime>;
  DEFINE FIELD files ON folder TYPE int DEFAULT 0;
  DEFINE FIELD symbols ON folder TYPE int DEFAULT 0;

  -- id: [root, path]. readAt: milliseconds since 1970, when the content with this hash was read.
  DEFINE TABLE file SCHEMAFULL;
  DEFINE FIELD root ON file TYPE string;
  DEFINE FIELD path ON file TYPE string;
  DEFINE FIELD language ON file TYPE string;
  DEFINE FIELD hash ON file TYPE string;
  DEFINE FIELD lines ON file TYPE int;
  DEFINE FIELD symbols ON file TYPE int;
  DEFINE FIELD readAt ON file TYPE number;

  -- id: [root, path, number]. Lines and columns (UTF-16 units) count from 1. body: hash of the text from line:column to endLine.
  DEFINE TABLE symbol SCHEMAFULL;
  DEFINE FIELD root ON symbol TYPE string;
  DEFINE FIELD path ON symbol TYPE string;
  DEFINE FIELD language ON symbol TYPE string;
  DEFINE FIELD kind ON symbol TYPE string;
  DEFINE FIELD name ON symbol TYPE string;
  DEFINE FIELD folded ON symbol TYPE string;
  DEFINE FIELD container ON symbol TYPE option<string>;
  DEFINE FIELD qualified ON symbol TYPE string;
  DEFINE FIELD signature ON symbol TYPE string;
  DEFINE FIELD line ON symbol TYPE int;
  DEFINE FIELD column ON symbol TYPE int;
  DEFINE FIELD endLine ON symbol TYPE int;
  DEFINE FIELD body ON symbol TYPE string;
  DEFINE INDEX by_folded ON symbol FIELDS folded;

  -- id: [root, path, number]: one name in one file, and where it stands there without being defined.
  DEFINE TABLE mention SCHEMAFULL;
  DEFINE FIELD root ON mention TYPE string;
  DEFINE FIELD path ON mention TYPE string;
  DEFINE FIELD name ON mention TYPE string;
  DEFINE FIELD sites ON mention TYPE array<object>;
  DEFINE FIELD OVERWRITE sites.* ON mention TYPE object FLEXIBLE;
  DEFINE INDEX by_name ON mention FIELDS name;

  -- id: what people call it. made: drawn by whoever made it, so that a creation sent twice is told from a second one.
  DEFINE TABLE spec SCHEMAFULL;
  DEFINE FIELD name ON spec TYPE string;
  DEFINE FIELD title ON spec TYPE string;
  DEFINE FIELD text ON spec TYPE string;
  DEFINE FIELD status ON spec TYPE string;
  DEFINE FIELD made ON spec TYPE string;
  DEFINE FIELD createdAt ON spec TYPE datetime;
  DEFINE FIELD updatedAt ON spec TYPE datetime;

  -- id: [spec, symbol]. symbol: a symbol reference as people write it; folded: the symbol's name in it. body: what was looked at;
  -- missing until then.
  DEFINE TABLE link SCHEMAFULL;
  DEFINE FIELD spec ON link TYPE string;
  DEFINE FIELD symbol ON link TYPE string;
  DEFINE FIELD folded ON link TYPE string;
  DEFINE FIELD body ON link TYPE option<string>;
  DEFINE FIELD reviewedAt ON link TYPE option<datetime>;
  DEFINE FIELD linkedAt ON link TYPE datetime;
  DEFINE INDEX by_spec ON link FIELDS spec;
  DEFINE INDEX by_folded ON link FIELDS folded;
  `,
]
