const VIEW =
  'The older engine makes no view over rows that are there already unless the view selects their id, so an import lets it: its rows are the same.'
const KEY = 'A dump has no keys in it, so neither server makes the access again: it is to be defined anew.'
const USER =
  'The newer server has the passwords of users a second time, for a protocol that the older engine does not speak, and INFO does not tell the hash.'
const COLLECTION =
  'Both servers read a collection with a point written (1, 2) in it as an object when it stands in a dump.'
const TABLE =
  'A value that is the name of a table is written like a field, and both servers read it as one that is not there.'

/** Why these differ, and stay. */
export const DUMP_DIFFERENCES: Readonly<Record<string, string>> = {
  'definitions: users: made by statements': USER,
  'definitions: users: there and back': USER,
  'definitions: users: from embedded to real': USER,
  'definitions: users: from real to embedded': USER,
  'definitions: tables: there and back': VIEW,
  'definitions: tables: from real to embedded': VIEW,
  'structure: person: there and back': VIEW,
  'structure: person: from real to embedded': VIEW,
  'value: a collection: from embedded to real': COLLECTION,
  'value: a collection: from real to embedded': COLLECTION,
  'value: a table: from embedded to real': TABLE,
  'value: a table: from real to embedded': TABLE,
  'definitions: accesses: from embedded to real': KEY,
  'definitions: accesses: from real to embedded': KEY,
}
