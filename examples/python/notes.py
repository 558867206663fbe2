"""
Notes of a whole machine: every terminal, script and editor that runs this program writes to the same database.

    procref run -- python notes.py add the guardian holds server.lock
    procref run -- python notes.py find lock
    procref run -- python notes.py watch
"""

import argparse
import asyncio
import getpass
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from surrealdb import AsyncSurreal, Surreal

# Full-text search: words in lower case and without their endings, the best match first.
SCHEMA = """
    DEFINE ANALYZER IF NOT EXISTS words TOKENIZERS blank, class, punct FILTERS lowercase, ascii, snowball(english);
    DEFINE TABLE IF NOT EXISTS note SCHEMAFULL;
    DEFINE FIELD IF NOT EXISTS text ON note TYPE string;
    DEFINE FIELD IF NOT EXISTS by ON note TYPE string;
    DEFINE FIELD IF NOT EXISTS at ON note TYPE datetime VALUE time::now() READONLY;
    DEFINE INDEX IF NOT EXISTS note_text ON note FIELDS text FULLTEXT ANALYZER words BM25 HIGHLIGHTS;
"""

FIND = """
    SELECT search::highlight('[', ']', 1) AS text, by, at, search::score(1) AS score FROM note
    WHERE text @1@ $words ORDER BY score DESC LIMIT 20;
"""

# Of two programs that write the same at the same moment, one is told of a conflict, and has written nothing.
TRIES = 20


def place() -> tuple[str, dict[str, Any], tuple[str, str]]:
    """Where the database is, who we are there, and in which part of it: `procref run` says so."""
    try:
        env = os.environ
        who = {"username": env["SURREAL_USER"], "password": env["SURREAL_PASS"]}
        return env["SURREAL_URL"], who, (env["SURREAL_NAMESPACE"], env["SURREAL_DATABASE"])
    except KeyError:
        sys.exit("notes.py: there is no database. Start me with: procref run -- python notes.py …")


@contextmanager
def database() -> Iterator[Any]:
    url, who, where = place()
    with Surreal(url) as db:
        db.signin(who)
        db.use(*where)
        ask(db, SCHEMA)
        yield db


def ask(db: Any, statements: str, variables: dict[str, Any] | None = None) -> Any:
    """The answer to the last statement."""
    for left in reversed(range(TRIES)):
        # The SDK's query() looks at the first statement only.
        answer = db.query_raw(statements, variables or {})
        failed = [each for each in answer.get("result", [answer]) if each.get("status") != "OK"]
        if not failed:
            return answer["result"][-1]["result"]
        if left == 0 or not any("can be retried" in str(each) for each in failed):
            raise RuntimeError(str(failed[0].get("result") or failed[0].get("error")))


def show(note: dict[str, Any]) -> None:
    print(f"{note['at']:%Y-%m-%d %H:%M}  {note['by']}: {note['text']}", flush=True)


def add(words: list[str]) -> None:
    text = " ".join(words) or sys.stdin.read().strip()
    with database() as db:
        show(ask(db, "CREATE ONLY note SET text = $text, by = $by", {"text": text, "by": getpass.getuser()}))


def find(words: list[str]) -> None:
    with database() as db:
        for note in ask(db, FIND, {"words": " ".join(words)}):
            show(note)


async def live(db: AsyncSurreal) -> Any:
    """Who begins at the same moment as somebody else is asked to try again, as with every write."""
    for left in reversed(range(TRIES)):
        try:
            return await db.live("note")
        except Exception as error:
            if left == 0 or "can be retried" not in str(error):
                raise
            await asyncio.sleep(random.uniform(0.01, 0.1))


async def watch() -> None:
    with database():
        pass  # Makes the table: there is nothing to watch before.
    url, who, where = place()
    async with AsyncSurreal(url) as db:
        await db.signin(who)
        await db.use(*where)
        notes = await db.subscribe_live(await live(db))
        print("watching; Ctrl-C ends it", flush=True)
        while True:
            # The SDK does not say when the server has gone: it only stops to receive.
            note = asyncio.ensure_future(anext(notes))
            await asyncio.wait([note, db.recv_task], return_when=asyncio.FIRST_COMPLETED)
            if not note.done():
                sys.exit("notes.py: the connection to the server is lost")
            show(note.result())


def main() -> None:
    parser = argparse.ArgumentParser(description="Notes of a whole machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add", help="keep a note; its text may also come on standard input").add_argument(
        "words", nargs="*"
    )
    commands.add_parser("find", help="notes with these words, the best first").add_argument("words", nargs="+")
    commands.add_parser("watch", help="show notes as soon as anybody adds them")
    options = parser.parse_args()
    try:
        if options.command == "add":
            add(options.words)
        elif options.command == "find":
            find(options.words)
        else:
            asyncio.run(watch())
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
