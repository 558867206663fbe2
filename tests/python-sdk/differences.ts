/** Why the answers of these cases differ, and stay. */
export const PYTHON_DIFFERENCES: Readonly<Record<string, string>> = {
  'a record changes itself':
    'The older engine carries the change out, and leaves it out of its answer when the permission to read looks at $auth.',
  'a transaction of statements fails': 'The older engine says nothing of the COMMIT.',
  'statements fail in the words of the engine': 'The older engine names the values, not their types.',
  'a relation is inserted twice': 'The older engine takes the second one for the first, and answers with it.',
  'a function cannot be sent':
    'The older engine says it of the whole call. Python sees the same class and message; only the old numeric code is another one.',
  'a transaction deletes what it has made': 'The older engine deletes it, and has forgotten what it was.',
  'a transaction knows its session': 'The older engine gives $session no value in a transaction.',
}
