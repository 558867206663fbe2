"""The SDK's clients, blocking and asynchronous, called in one way; every call and its answer are written down."""

import asyncio
import inspect
from collections.abc import Generator
from itertools import count
from typing import Any

from surrealdb import (
    AsyncSurreal,
    AsyncSurrealSession,
    AsyncSurrealTransaction,
    BlockingSurrealSession,
    BlockingSurrealTransaction,
    Surreal,
)
from values import Writer

# So much of a call is written down.
SHOWN = 100

# Beyond any honest delay on a busy machine, and before the test gives up: so the traceback says where.
HANGS_S = 60

MADE_BY_CLIENTS = (AsyncSurrealSession, AsyncSurrealTransaction, BlockingSurrealSession, BlockingSurrealTransaction)

USER = "root"
PASSWORD = "secret"


class Called:
    """A client, session or transaction of the SDK whose calls are written down."""

    def __init__(self, run: "Run", target: Any) -> None:
        self._run = run
        self.target = target

    def __getattr__(self, method: str) -> Any:
        async def call(*args: Any, **named: Any) -> Any:
            return await self._run.call(self.target, method, args, named)

        return call


class Run:
    """One case on one kind of client: what it called, and what was answered."""

    def __init__(self, url: str, kind: str, database: str, token: str, called: set[str], sent: set[str]) -> None:
        self.url = url
        self.kind = kind
        self.database = database
        # Root's: a password takes the server a hundred times as long to check.
        self.token = token
        # By the call as it is written in Python; a call that is made again has its number behind it.
        self.answers: dict[str, Any] = {}
        self.called = called
        self.sent = sent
        self._writer = Writer()
        self._writer.name(database, "the_database")
        self._open: list[Any] = []

    @property
    def over_ws(self) -> bool:
        return self.url.startswith("ws")

    async def client(self, url: str | None = None) -> Called:
        """A client that has not said who it is."""
        made = self.unopened(url).target
        name = "__enter__" if hasattr(made, "__enter__") else "__aenter__"
        self.called.add(f"{type(made).__name__}.{name}")
        client = await unwritten(getattr(made, name)())
        self._open.append(client)
        return Called(self, client)

    def unopened(self, url: str | None = None) -> Called:
        """A client as it is made, without its context manager. The case closes it."""
        return Called(self, (Surreal if self.kind == "blocking" else AsyncSurreal)(url or self.url))

    async def root(self) -> Called:
        """A client that is root, on the case's own database."""
        client = await self.client()
        await unwritten(client.target.authenticate(self.token))
        await unwritten(client.target.use("python", self.database))
        return client

    async def usable(self, client: Called) -> Called:
        """The same client, or a new one: an asynchronous one receives no more after an answer that it cannot read."""
        receiving = getattr(client.target, "recv_task", None)
        return await self.root() if receiving is not None and receiving.done() else client

    async def call(self, target: Any, method: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Makes one call. What it raises is its answer, and `None` is returned."""
        self.called.add(f"{type(target).__name__}.{method}")
        for each in (*args, *named.values()):
            self._note_types(each)
        text = ", ".join([*(repr(each) for each in args), *(f"{key}={each!r}" for key, each in named.items())])
        label = shortened(self._writer.text(f"{method}({text})"))
        try:
            result = await unwritten(getattr(target, method)(*args, **named))
            answer = self._writer.value(result)
        except asyncio.TimeoutError:
            raise
        # A receiving task that cannot read an answer cancels whoever waits for it.
        except (Exception, asyncio.CancelledError) as error:
            result, answer = None, self._writer.error(error)
        self._write(label, answer)
        return Called(self, result) if isinstance(result, MADE_BY_CLIENTS) else result

    def name(self, value: Any, name: str) -> None:
        """From now on `value`, which is new in each run, is written down as `name`."""
        self._writer.name(value, name)

    def note(self, what: str, value: Any) -> None:
        """An answer that came without a call."""
        self._write(what, self._writer.value(value))

    def _write(self, call: str, answer: Any) -> None:
        numbered = (call if number == 1 else f"{call} #{number}" for number in count(1))
        self.answers[next(each for each in numbered if each not in self.answers)] = answer

    async def close(self) -> None:
        for client in self._open:
            name = "__exit__" if hasattr(client, "__exit__") else "__aexit__"
            self.called.add(f"{type(client).__name__}.{name}")
            await unwritten(getattr(client, name)(None, None, None))

    def _note_types(self, value: Any) -> None:
        self.sent.add(type(value).__name__)
        if isinstance(value, dict):
            for each in value.values():
                self._note_types(each)
        elif isinstance(value, (list, tuple)):
            for each in value:
                self._note_types(each)


async def unwritten(returned: Any) -> Any:
    """The result of a call of either kind of client."""
    if inspect.isawaitable(returned):
        return await asyncio.wait_for(returned, HANGS_S)
    return returned


def shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


async def next_of(run: Run, changes: Any) -> None:
    """Writes down the next change that a live query tells."""
    if isinstance(changes, Generator):
        run.note("the next change", next(changes))
    else:
        run.note("the next change", await asyncio.wait_for(anext(changes), HANGS_S))
