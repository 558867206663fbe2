"""
python main.py PORT: runs the cases against the server there; prints a JSON line for each, then one about all of them.
python main.py: only lists them.
"""

import asyncio
import inspect
import json
import platform
import sys
from importlib import metadata
from itertools import product
from typing import Any, get_args

import surrealdb
from cases import CASES
from clients import PASSWORD, USER, Run
from surrealdb import types

KINDS = ("blocking", "async")
PROTOCOLS = ("ws", "http")

CLASSES = (
    surrealdb.BlockingWsSurrealConnection,
    surrealdb.BlockingHttpSurrealConnection,
    surrealdb.BlockingSurrealSession,
    surrealdb.BlockingSurrealTransaction,
    surrealdb.AsyncWsSurrealConnection,
    surrealdb.AsyncHttpSurrealConnection,
    surrealdb.AsyncSurrealSession,
    surrealdb.AsyncSurrealTransaction,
)
MANAGERS = {"__enter__", "__exit__", "__aenter__", "__aexit__"}
# The SDK's own look at an answer: public by name only, with no page in its documentation.
INTERNAL = {"check_response_for_error", "check_response_for_result"}


def methods() -> set[str]:
    """Every public method of the clients, as "Class.method"."""
    return {
        f"{each.__name__}.{name}"
        for each in CLASSES
        for name, _ in inspect.getmembers(each, callable)
        if name in MANAGERS or not (name.startswith("_") or name in INTERNAL)
    }


def value_types() -> set[str]:
    """Every type that the SDK says a value can have."""
    return {each.__name__ for each in get_args(types.Value) if isinstance(each, type)} - {"object"}


def say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


async def main(port: str) -> None:
    called: set[str] = set()
    sent: set[str] = set()
    say("begins", count=len(PROTOCOLS) * len(KINDS) * len(CASES))
    with surrealdb.Surreal(f"ws://127.0.0.1:{port}") as root:
        token = root.signin({"username": USER, "password": PASSWORD}).access
        root.query("DEFINE NAMESPACE python")
        root.use("python", "main")
        for protocol, kind, (number, case) in product(PROTOCOLS, KINDS, enumerate(CASES)):
            database = f"{kind}_{protocol}_{number}"
            root.query(f"DEFINE DATABASE {database}")
            run = Run(f"{protocol}://127.0.0.1:{port}", kind, database, token, called, sent)
            try:
                await case.run(run)
            finally:
                await run.close()
            say("case", client=f"{kind} {protocol}", name=case.name, answers=run.answers)
    say(
        "done",
        clients=[f"{kind} {protocol}" for protocol, kind in product(PROTOCOLS, KINDS)],
        methods=len(methods()),
        uncalled=sorted(methods() - called),
        unsent=sorted(value_types() - sent),
        sdk=metadata.version("surrealdb"),
        python=platform.python_version(),
    )


if len(sys.argv) == 1:
    print(json.dumps([case.name for case in CASES]))
else:
    asyncio.run(main(sys.argv[1]))
