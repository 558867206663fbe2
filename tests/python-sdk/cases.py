"""The documented calls of the SDK, as one list of cases: each starts with an empty database."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from clients import PASSWORD, USER, Run, next_of, unwritten
from surrealdb import Datetime, Duration, Range, RecordID, Table
from surrealdb.data.types.geometry import (
    GeometryCollection,
    GeometryLine,
    GeometryMultiLine,
    GeometryMultiPoint,
    GeometryMultiPolygon,
    GeometryPoint,
    GeometryPolygon,
)
from surrealdb.data.types.range import BoundExcluded, BoundIncluded
from values import UNKNOWN

BERLIN = timezone(timedelta(hours=1))


@dataclass(frozen=True)
class Case:
    name: str
    run: Callable[[Run], Awaitable[None]]


CASES: list[Case] = []


def case(function: Callable[[Run], Awaitable[None]]) -> Callable[[Run], Awaitable[None]]:
    CASES.append(Case(function.__name__.replace("_", " "), function))
    return function


# --- Connections


@case
async def a_client_opens_by_itself_and_closes(run: Run) -> None:
    client = run.unopened()
    if hasattr(client.target, "connect"):
        await client.connect()
        await client.connect(run.url)
    await client.version()
    await client.signin({"username": USER, "password": PASSWORD})
    await client.query("RETURN 1")
    await client.close()
    await client.close()


@case
async def an_address_may_end_with_rpc(run: Run) -> None:
    client = await run.client(f"{run.url}/rpc")
    await client.version()


@case
async def nobody_is_signed_in(run: Run) -> None:
    client = await run.client()
    await client.version()
    await client.query("RETURN 1")
    await client.query_raw("RETURN 1; RETURN 2")
    await client.select("person")
    await client.create("person", {"name": "Ada"})
    await client.info()
    await client.let("name", 1)
    await client.unset("name")
    await client.invalidate()
    await client.use("python", run.database)
    await client.query("RETURN 1")


# --- Who somebody is


@case
async def signs_in_at_each_level(run: Run) -> None:
    root = await run.root()
    await root.query_raw(
        """
        DEFINE USER OVERWRITE nina ON NAMESPACE PASSWORD 'n' ROLES EDITOR;
        DEFINE USER OVERWRITE dora ON DATABASE PASSWORD 'd' ROLES VIEWER;
        """
    )
    for who in (
        {"username": USER, "password": PASSWORD},
        {"user": USER, "pass": PASSWORD},
        {"namespace": "python", "username": "nina", "password": "n"},
        {"namespace": "python", "database": run.database, "username": "dora", "password": "d"},
        {"NS": "python", "DB": run.database, "username": "dora", "password": "d"},
    ):
        client = await run.client()
        await client.signin(who)
        await client.use("python", run.database)
        await client.query("RETURN [$session.ns, $session.db, $auth, $access]")
        await client.query("CREATE note SET text = 'x'")
        await client.query("DEFINE USER more ON ROOT PASSWORD 'x'")
        await client.info()


@case
async def a_wrong_sign_in_is_refused(run: Run) -> None:
    for who in (
        {"username": USER, "password": "wrong"},
        {"username": "nobody", "password": PASSWORD},
        {"username": USER},
        {},
        {"namespace": "python", "username": USER, "password": PASSWORD},
        {"database": run.database, "username": USER, "password": PASSWORD},
        {"namespace": "python", "database": run.database, "access": "unmade", "variables": {"name": "Ada"}},
        {"namespace": "python", "database": run.database, "access": "unmade", "key": "surreal-bearer-x-y"},
        {"namespace": "python", "database": run.database, "access": "unmade", "refresh": "surreal-refresh-x-y"},
    ):
        client = await run.client()
        await client.signin(who)
        await client.query("RETURN 1")


RECORD_ACCESS = """
    DEFINE TABLE account SCHEMALESS PERMISSIONS FOR select, update WHERE id = $auth.id;
    DEFINE TABLE secret PERMISSIONS NONE;
    CREATE secret:1 SET value = 1;
    DEFINE ACCESS account ON DATABASE TYPE RECORD
        SIGNUP (CREATE type::record('account', $name) SET name = $name, pass = crypto::argon2::generate($pass))
        SIGNIN (SELECT * FROM account WHERE name = $name AND crypto::argon2::compare(pass, $pass))
        WITH REFRESH DURATION FOR TOKEN 1h, FOR SESSION 1d;
"""


@case
async def signs_up_and_in_as_a_record(run: Run) -> None:
    root = await run.root()
    await root.query_raw(RECORD_ACCESS)
    place = {"namespace": "python", "database": run.database, "access": "account"}
    client = await run.client()
    tokens = await client.signup({**place, "variables": {"name": "ada", "pass": "a"}})
    await client.use("python", run.database)
    await client.query("SELECT id, name FROM account")
    await client.query("SELECT * FROM secret")
    await client.query("CREATE secret:2")
    await client.query("RETURN [$auth, $access, $token.AC, $token.ID]")

    other = await run.client()
    await other.signin({**place, "variables": {"name": "ada", "pass": "a"}})
    await other.use("python", run.database)
    await other.query("SELECT VALUE name FROM account")

    third = await run.client()
    await third.signin({**place, "refresh": tokens.refresh if tokens else "missing"})
    await third.use("python", run.database)
    await third.query("SELECT VALUE id FROM account")
    # It was used up.
    await third.signin({**place, "refresh": tokens.refresh if tokens else "missing"})
    await third.signup({**place, "access": "unmade", "variables": {}})
    await third.signup({})


@case
async def a_record_is_refused(run: Run) -> None:
    root = await run.root()
    await root.query_raw(RECORD_ACCESS)
    place = {"namespace": "python", "database": run.database, "access": "account"}
    client = await run.client()
    await client.signup({**place, "variables": {"name": "ada", "pass": "a"}})
    await client.signup({**place, "variables": {"name": "ada", "pass": "b"}})
    await client.signin({**place, "variables": {"name": "ada", "pass": "wrong"}})


@case
async def a_record_changes_itself(run: Run) -> None:
    root = await run.root()
    await root.query_raw(RECORD_ACCESS)
    place = {"namespace": "python", "database": run.database, "access": "account"}
    client = await run.client()
    await client.signup({**place, "variables": {"name": "ada", "pass": "a"}})
    await client.use("python", run.database)
    await client.update(RecordID("account", "ada"), {"name": "Ada"})
    await client.merge(RecordID("account", "ada"), {"seen": True})
    await root.select("account")


@case
async def tells_who_the_record_user_is(run: Run) -> None:
    root = await run.root()
    await root.query_raw(
        """
        DEFINE TABLE person PERMISSIONS FOR select WHERE id = $auth.id;
        DEFINE ACCESS person ON DATABASE TYPE RECORD SIGNUP (CREATE person:ada SET name = $name);
        """
    )
    client = await run.client()
    await client.signup(
        {"namespace": "python", "database": run.database, "access": "person", "variables": {"name": "Ada"}}
    )
    await client.use("python", run.database)
    await client.info()
    await root.info()


@case
async def signs_in_with_a_key(run: Run) -> None:
    root = await run.root()
    await root.query_raw(
        """
        DEFINE USER OVERWRITE robot ON DATABASE PASSWORD 'r' ROLES EDITOR;
        DEFINE ACCESS api ON DATABASE TYPE BEARER FOR USER;
        """
    )
    # Not written down: when it was granted.
    grant = await unwritten(root.target.query("ACCESS api ON DATABASE GRANT FOR USER robot"))
    place = {"namespace": "python", "database": run.database, "access": "api"}
    client = await run.client()
    await client.signin({**place, "key": grant["grant"]["key"]})
    await client.use("python", run.database)
    await client.query("CREATE ONLY note:1 SET text = 'x'")
    await client.signin({**place, "key": "surreal-bearer-AAAAAAAAAAAA-BBBBBBBBBBBBBBBBBBBBBBBB"})


@case
async def a_token_stands_for_a_sign_in(run: Run) -> None:
    client = await run.client()
    tokens = await client.signin({"username": USER, "password": PASSWORD})
    other = await run.client()
    await other.authenticate(tokens.access)
    await other.use("python", run.database)
    await other.query("RETURN $session.db")
    await other.invalidate()
    await other.query("RETURN 2")
    await other.authenticate("eyJhbGciOiJIUzUxMiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl")
    await other.query("RETURN 3")
    await other.authenticate("no token")
    if hasattr(client.target, "set_token"):
        third = await run.client()
        third.target.set_token(tokens.access)
        run.called.add(f"{type(third.target).__name__}.set_token")
        await third.query("RETURN 4")


@case
async def a_token_ends(run: Run) -> None:
    root = await run.root()
    await root.query("DEFINE USER OVERWRITE brief ON DATABASE PASSWORD 'b' DURATION FOR TOKEN 1s, FOR SESSION 1s")
    client = await run.client()
    tokens = await client.signin(
        {"namespace": "python", "database": run.database, "username": "brief", "password": "b"}
    )
    # The server waits, so that no clock of ours is part of it.
    await root.query("SLEEP 2s")
    await client.query("RETURN 1")
    other = await run.client()
    await other.authenticate(tokens.access)


# --- Where somebody is, and what a connection knows


@case
async def uses_namespaces_and_databases(run: Run) -> None:
    client = await run.root()
    await client.query("RETURN [$session.ns, $session.db]")
    await client.query("CREATE here:1")
    await client.use("python", f"{run.database}_more")
    await client.query("RETURN [$session.ns, $session.db]")
    await client.query("SELECT * FROM here")
    await client.query("CREATE here:2")
    await client.use(f"{run.database}_ns", "db")
    await client.query("RETURN [$session.ns, $session.db]")
    await client.query("CREATE here:3")
    await client.use("python", run.database)
    await client.query("SELECT * FROM here")
    await client.use("", "")
    await client.use("python", None)
    await client.use(1, 2)


@case
async def variables_last(run: Run) -> None:
    client = await run.root()
    await client.let("name", {"first": "Ada", "born": datetime(1815, 12, 10, tzinfo=timezone.utc)})
    await client.let("count", 3)
    await client.query("RETURN [$name.first, $name.born, $count]")
    await client.query("RETURN $count", {"count": 4})
    await client.create("person", {"copies": 1})
    await client.query("SELECT VALUE copies + $count FROM person")
    await client.unset("count")
    await client.query("RETURN $count")
    await client.unset("unmade")
    await client.let("auth", 1)
    await client.let("0 wrong", 1)


# --- Statements


@case
async def statements_answer(run: Run) -> None:
    client = await run.root()
    await client.query("RETURN 1; RETURN 2")
    await client.query("RETURN $a + $b", {"a": 1, "b": 2})
    await client.query("CREATE person:1 SET name = 'Ada'")
    await client.query("SELECT * FROM person")
    await client.query("SELECT * FROM ONLY person:1")
    await client.query("SELECT VALUE name FROM person; SELECT 1 FROM person")
    await client.query("")
    await client.query("-- nothing")
    await client.query("LET $x = 1; RETURN $x")
    await client.query("BEGIN; CREATE person:2; CANCEL")
    await client.query("BEGIN; CREATE person:3; COMMIT")
    await client.query_raw("RETURN 1; THROW 'no'; RETURN 3")
    await client.query_raw("SELECT * FROM $who ORDER BY id", {"who": [RecordID("person", 1), RecordID("person", 3)]})
    await client.query_raw("SELECT VALUE id FROM person ORDER BY id", None)
    await client.query("INFO FOR TABLE person")


@case
async def statements_fail(run: Run) -> None:
    client = await run.root()
    for wrong in (
        "SELEC * FROM person",
        "RETURN 'open",
        "THROW 'no'",
        "RETURN fn::unmade()",
        "RETURN nofunction::at_all()",
        "RETURN math::abs('x')",
        "RETURN 1 / 0",
        "RETURN <int>'x'",
        "RETURN $unmade",
        "SELECT * FROM unmade",
        "SELECT * FROM ONLY unmade:1",
        "USE NS unmade DB unmade; RETURN $session.ns",
        "CREATE person:1; CREATE person:1",
        "RELATE person:1->likes->person:2",
        "SELECT * FROM person TIMEOUT 1ns",
        "REMOVE TABLE unmade",
        "REMOVE DATABASE unmade",
        "RETURN http::get('http://127.0.0.1:1')",
        "BREAK",
        "DEFINE FIELD n ON typed TYPE int; CREATE typed:1 SET n = 'x'",
    ):
        await client.query(wrong)
        await client.query_raw(wrong)
    await client.query("CREATE person:1")
    await client.query("DEFINE TABLE person")
    await client.query("DEFINE INDEX one ON person FIELDS name UNIQUE")
    await client.query("UPDATE person:1 SET name = 'Ada'")
    await client.query("CREATE person:7 SET name = 'Ada'")
    await client.query("DEFINE NAMESPACE python")
    await client.query("RETURN $a", {"a": object()})
    await client.query(1)


@case
async def a_transaction_of_statements_fails(run: Run) -> None:
    client = await run.root()
    await client.query_raw("BEGIN; CREATE person:4; THROW 'no'; COMMIT")


@case
async def statements_fail_in_the_words_of_the_engine(run: Run) -> None:
    client = await run.root()
    await client.query("RETURN 1 + 'a'")


@case
async def a_statement_kills_no_live_query(run: Run) -> None:
    client = await run.root()
    await client.query(f"KILL u'{UNKNOWN}'")


# --- Records


TARGETS = ("person", Table("person"), "person:1", RecordID("person", 1), RecordID("person", "Ada L."), "person:1..3")


@case
async def creates_records(run: Run) -> None:
    client = await run.root()
    for target in TARGETS:
        await client.create(target)
        await client.query("DELETE person")
        await client.create(target, {"name": "Ada", "tags": ["x"]})
    await client.create(RecordID("person", 1), {"name": "again"})
    await client.create("person", {"id": RecordID("person", "given")})
    await client.create("person", {"id": 8})
    await client.create("person", {})
    await client.create("person", [{"id": 9}, {"id": 10}])
    await client.create("person", "no object")
    await client.create("no table", {})
    await client.create("", {})
    await client.query("RETURN count(SELECT * FROM person WHERE type::is_int(record::id(id)))")


@case
async def selects_records(run: Run) -> None:
    client = await run.root()
    for target in TARGETS:
        await client.select(target)
    await client.insert("person", [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}, {"id": "Ada L."}])
    for target in (*TARGETS, RecordID("person", 3), "person:2", "person:1..=2", "person WHERE id = person:1"):
        await client.select(target)


@case
async def inserts_records(run: Run) -> None:
    client = await run.root()
    await client.insert("person", {"id": 1, "name": "Ada"})
    await client.insert(Table("person"), [{"id": 2}, {"id": 3, "name": "Cid"}])
    await client.insert("person", [])
    await client.insert("person", {"name": "no id"})
    await client.insert("person", {"id": 1, "name": "again"})
    await client.insert("person", [{"id": 4}, {"id": 4}])
    await client.insert("person", {"id": RecordID("person", 5)})
    await client.insert("person", {"id": RecordID("other", 6)})
    await client.insert("person:1", {"name": "x"})
    await client.insert(RecordID("person", 1), {"name": "x"})
    await client.insert("person", "no object")
    await client.insert("person", None)
    await client.query("RETURN count(SELECT * FROM person WHERE type::is_int(record::id(id)))")


@case
async def inserts_relations(run: Run) -> None:
    client = await run.root()
    await client.insert("person", [{"id": 1}, {"id": 2}])
    one, two = RecordID("person", 1), RecordID("person", 2)
    await client.insert_relation("likes", {"id": 1, "in": one, "out": two, "since": 2020})
    await client.insert_relation(Table("likes"), [{"id": 2, "in": two, "out": one}, {"in": one, "out": one}])
    await client.insert_relation("likes", {"id": 3, "in": one})
    await client.insert_relation("likes", {"in": "person:1", "out": "person:2"})
    await client.query("SELECT id, ->likes->person AS liked, <-likes<-person AS by FROM person ORDER BY id")
    await client.query("INFO FOR TABLE likes")


@case
async def a_relation_is_inserted_twice(run: Run) -> None:
    client = await run.root()
    for _ in range(2):
        await client.insert_relation("likes", {"id": 1, "in": RecordID("person", 1), "out": RecordID("person", 2)})


@case
async def changes_records(run: Run) -> None:
    client = await run.root()
    for change in ("update", "upsert", "merge"):
        await client.query("DELETE person")
        await client.query("DELETE unmade")
        call = getattr(client, change)
        for target in TARGETS:
            await call(target, {"name": "nobody is there"})
        await client.query("DELETE person; INSERT INTO person [{id: 1, n: {a: 1}}, {id: 2}, {id: 'Ada L.'}]")
        for target in TARGETS:
            await call(target)
            await call(target, {"name": "Ada", "n": {"b": 2}})
        await call(RecordID("person", 1), {"id": RecordID("person", 2)})
        await call(RecordID("person", 1), {"name": None})
        await call(RecordID("person", 1), [1])
        await call("unmade", {"name": "Ada"})
        await call("no table", {})


@case
async def patches_records(run: Run) -> None:
    client = await run.root()
    await client.insert("person", [{"id": 1, "tags": ["a"], "n": {"x": 1}}, {"id": 2, "tags": []}])
    one = RecordID("person", 1)
    await client.patch(one, [{"op": "add", "path": "/tags/-", "value": "b"}])
    await client.patch(one, [{"op": "replace", "path": "/n/x", "value": Decimal("1.50")}])
    await client.patch(
        one, [{"op": "add", "path": "/m", "value": {"y": 1}}, {"op": "copy", "from": "/m", "path": "/k"}]
    )
    await client.patch(one, [{"op": "move", "from": "/k", "path": "/l"}, {"op": "remove", "path": "/m"}])
    await client.patch(one, [{"op": "test", "path": "/l/y", "value": 1}, {"op": "replace", "path": "/l/y", "value": 2}])
    await client.patch(one, [{"op": "test", "path": "/l/y", "value": 1}])
    await client.patch(one, [{"op": "change", "path": "/name", "value": "@@ -0,0 +1 @@\n+A\n"}])
    await client.patch(one, [{"op": "no such", "path": "/a"}])
    await client.patch(one, [{"path": "/a"}])
    await client.patch(one, [])
    await client.patch(one)
    await client.patch("person:2", [{"op": "add", "path": "/tags/0", "value": "z"}])
    await client.patch("person", [{"op": "add", "path": "/all", "value": True}])
    await client.patch(Table("person"), [{"op": "remove", "path": "/all"}])
    await client.patch(RecordID("person", 3), [{"op": "add", "path": "/a", "value": 1}])
    await client.select("person")


@case
async def deletes_records(run: Run) -> None:
    client = await run.root()
    for target in TARGETS:
        await client.query("DELETE person")
        await client.delete(target)
        await client.query("INSERT INTO person [{id: 1}, {id: 2}, {id: 'Ada L.'}]")
        await client.delete(target)
        await client.query("SELECT VALUE id FROM person")
    await client.delete("no table")
    await client.delete("unmade")


# --- Values


RING = GeometryLine(GeometryPoint(0.0, 0.0), GeometryPoint(4.0, 0.0), GeometryPoint(4.0, 4.0), GeometryPoint(0.0, 0.0))
HOLE = GeometryLine(GeometryPoint(2.0, 1.0), GeometryPoint(3.0, 1.0), GeometryPoint(3.0, 2.0), GeometryPoint(2.0, 1.0))

VALUES = {
    "nothing": None,
    "truth": [True, False],
    "ints": [0, -1, 2**53, 2**63 - 1, -(2**63)],
    "too_big": 2**63,
    "floats": [0.0, -0.0, 1.5, 1e300, 5e-324, float("inf"), float("-inf"), float("nan")],
    "whole_float": 3.0,
    "decimals": [Decimal("0"), Decimal("1.50"), Decimal("-79228162514264337593543950335")],
    "exponents": [Decimal("1E-7"), Decimal("-1.5E+20"), Decimal("0E-10"), Decimal("1.5E-28"), Decimal("12345E-30")],
    "texts": ["", "ä€😀", "\0", "a\nb", "person:1", "2020-01-01T00:00:00Z", "1h", "x" * 5000],
    "bytes": [b"", b"\x00\xff", bytes(range(256))],
    "uuids": [UUID("018e0000-0000-7000-8000-000000000001"), UUID(int=0)],
    "lists": [[], [[1, [2]]], (1, 2)],
    "objects": {"": 1, "a b": {"c": {}}, "ü": [{}]},
    "record_ids": [
        RecordID("person", "ada"),
        RecordID("person", 1),
        RecordID("person", -5),
        RecordID("person", "1"),
        RecordID("person", "Ada L."),
        RecordID("person", UUID("018e0000-0000-7000-8000-000000000001")),
        RecordID("person", ["a", 1, {"b": True}]),
        RecordID("person", {"a": 1, "b": [2]}),
        RecordID("with space", "x"),
    ],
    "record_range": RecordID("person", Range(BoundIncluded(1), BoundExcluded(3))),
    "table": Table("person"),
    "datetimes": [
        datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=timezone.utc),
        datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=BERLIN),
        datetime(1, 1, 1, tzinfo=timezone.utc),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc),
    ],
    "naive_datetime": datetime(2024, 1, 1),
    "datetime_text": Datetime("2024-01-01T00:00:00.123456789Z"),
    "range": Range(BoundIncluded(1), BoundExcluded(10)),
    "ranges": [Range(BoundExcluded("a"), BoundIncluded("z")), Range(BoundIncluded([1]), BoundIncluded([2]))],
    "point": GeometryPoint(1.5, -2.5),
    "line": GeometryLine(GeometryPoint(1.0, 2.0), GeometryPoint(3.0, 4.0), GeometryPoint(5.0, 6.0)),
    "polygon": GeometryPolygon(RING, HOLE),
    "points": GeometryMultiPoint(GeometryPoint(1.0, 2.0), GeometryPoint(3.0, 4.0)),
    "multi_line": GeometryMultiLine(RING, HOLE),
    "polygons": GeometryMultiPolygon(GeometryPolygon(RING), GeometryPolygon(HOLE)),
    "collection": GeometryCollection(GeometryPoint(1.0, 2.0), GeometryPolygon(RING), RING),
    "unknown": object,
}


# The SDK sends them in a form that no SurrealDB server reads. Durations are among them: those can only be received.
UNREADABLE = (
    Duration.parse("1y2w3d4h5m6s7ms8us9ns"),
    Duration(0),
    Duration(-1),
    Decimal("1E-29"),
    Decimal("1E+29"),
    RecordID("person", 1.5),
    Datetime("yesterday"),
    Range(None, BoundExcluded(5)),
    BoundIncluded(1),
    {1},
    frozenset({1}),
)


@case
async def values_come_back(run: Run) -> None:
    client = await run.root()
    for name, value in VALUES.items():
        client = await run.usable(client)
        await client.query("RETURN $value", {"value": value})
        client = await run.usable(client)
        await client.create(RecordID("kept", name), {"value": value})
        client = await run.usable(client)
        await client.select(RecordID("kept", name))


@case
async def values_are_what_the_server_takes_them_for(run: Run) -> None:
    client = await run.root()
    for value in VALUES.values():
        client = await run.usable(client)
        await client.query("RETURN [type::of($value), type::string($value)]", {"value": value})


LITERALS = (
    "NONE",
    "NULL",
    "[NONE, NULL]",
    "{a: NONE, b: NULL}",
    "1.0",
    "1.5f",
    "1dec",
    "1.50dec",
    "9223372036854775807",
    "1h30m",
    "0ns",
    "5124095576y",
    "d'2024-01-01T00:00:00.123456789Z'",
    "d'-000500-01-01T00:00:00Z'",
    "d'+050000-01-01T00:00:00Z'",
    "u'018e0000-0000-7000-8000-000000000001'",
    "<bytes>'x'",
    "b'00FF'",
    "person:1",
    "person:⟨a b⟩",
    "person:[1, 'a']",
    "person:{a: 1}",
    "person:u'018e0000-0000-7000-8000-000000000001'",
    "person:1..3",
    "person:1..=3",
    "person:..",
    "type::table('person')",
    "1..3",
    "1..=3",
    "1>..3",
    "..3",
    "1..",
    "..",
    "'a'..'b'",
    "(1.5, 2.5)",
    "{type: 'LineString', coordinates: [[1, 2], [3, 4]]}",
    "{type: 'Polygon', coordinates: [[[0, 0], [4, 0], [4, 4], [0, 0]]]}",
    "{type: 'MultiPoint', coordinates: [[1, 2], [3, 4]]}",
    "{type: 'MultiLineString', coordinates: [[[1, 2], [3, 4]]]}",
    "{type: 'MultiPolygon', coordinates: [[[[0, 0], [4, 0], [4, 4], [0, 0]]]]}",
    "{type: 'GeometryCollection', geometries: [(1.5, 2.5)]}",
    "{1, 2}",
    "<set>[3, 1, 1]",
    "f'bucket:/file.txt'",
    "math::nan",
    "math::inf",
)


@case
async def values_of_every_kind_arrive(run: Run) -> None:
    client = await run.root()
    for literal in LITERALS:
        client = await run.usable(client)
        await client.query(f"RETURN {literal}")


@case
async def a_function_cannot_be_sent(run: Run) -> None:
    client = await run.root()
    await client.query("RETURN |$x: int| $x + 1")


@case
async def a_regular_expression_cannot_be_sent(run: Run) -> None:
    client = await run.root()
    await client.query("RETURN /a.b/")


@case
async def values_cannot_be_read_by_the_server(run: Run) -> None:
    client = await run.root()
    for value in UNREADABLE:
        client = await run.usable(client)
        await client.query("RETURN $value", {"value": value})
        client = await run.usable(client)
        await client.create("kept", {"value": value})


# --- Live queries


# Each change is awaited before the next is made: the order in which changes of two transactions are told is open.


@case
async def a_live_query_tells_changes(run: Run) -> None:
    client, writer = await run.root(), await run.root()
    await writer.query("DEFINE TABLE person; DEFINE TABLE other")
    live = await client.live("person")
    if live is None:
        # Over HTTP there is none.
        await client.subscribe_live(UNKNOWN)
        await client.kill(UNKNOWN)
        return
    run.name(live, "the live query")
    changes = await client.subscribe_live(live)
    await writer.create(RecordID("person", 1), {"name": "Ada", "born": datetime(1815, 12, 10, tzinfo=timezone.utc)})
    await next_of(run, changes)
    await writer.create(RecordID("other", 1))
    await writer.merge(RecordID("person", 1), {"age": Decimal("36.5")})
    await next_of(run, changes)
    await writer.query("BEGIN; CREATE person:2 SET n = 1; CREATE other:2; COMMIT")
    await next_of(run, changes)
    await writer.query("BEGIN; CREATE person:3; CANCEL")
    await writer.delete(RecordID("person", 1))
    await next_of(run, changes)
    # Last: the blocking client takes the end of the live query for the answer to its next call.
    await client.kill(live)
    await writer.query("SELECT VALUE name FROM [1]")


@case
async def live_queries_start_and_end(run: Run) -> None:
    if not run.over_ws:
        return
    for table, diff in (("person", False), (Table("person"), True), ("unmade", False), (RecordID("person", 1), False)):
        client = await run.root()
        await client.query("DEFINE TABLE IF NOT EXISTS person")
        live = await client.live(table, diff)
        if live is not None:
            run.name(live, "the live query")
            await client.kill(live)
    client = await run.root()
    await client.kill(UNKNOWN)
    await client.kill("no id")
    await client.query("RETURN object::keys((INFO FOR TABLE person).lives)")


@case
async def a_live_statement_tells_changes_too(run: Run) -> None:
    if not run.over_ws:
        return
    client, writer = await run.root(), await run.root()
    await writer.query("DEFINE TABLE person")
    live = await client.query("LIVE SELECT name FROM person WHERE age > 30")
    run.name(live, "the live query")
    changes = await client.subscribe_live(live)
    await writer.create(RecordID("person", 2), {"name": "Bob", "age": 3})
    await writer.create(RecordID("person", 1), {"name": "Ada", "age": 36})
    await next_of(run, changes)
    await writer.update(RecordID("person", 1), {"name": "Eve", "age": 37})
    await next_of(run, changes)
    other = await run.root()
    live_diff = await other.query("LIVE SELECT DIFF FROM person")
    run.name(live_diff, "the live query of differences")
    differences = await other.subscribe_live(live_diff)
    await writer.merge(RecordID("person", 2), {"age": 4})
    await next_of(run, differences)


@case
async def a_live_query_of_a_session_tells_changes(run: Run) -> None:
    if not run.over_ws:
        return
    writer = await run.root()
    await writer.query("DEFINE TABLE person")
    for number, diff in enumerate((False, True)):
        client = await run.root()
        session = await client.new_session()
        run.name(session.target._session_id, "the session")
        await session.signin({"username": USER, "password": PASSWORD})
        await session.use("python", run.database)
        live = await session.live("person", diff)
        run.name(live, "the live query")
        changes = await client.subscribe_live(live)
        await writer.create(RecordID("person", number), {"name": "Ada"})
        await next_of(run, changes)
        await session.kill(live)
    client = await run.root()
    session_id = await client.attach()
    run.name(session_id, "the session")
    await client.signin({"username": USER, "password": PASSWORD}, session_id=session_id)
    await client.use("python", run.database, session_id=session_id)
    live = await client.live("person", session_id=session_id)
    run.name(live, "the live query")
    await client.kill(live, session_id=session_id)


# --- Sessions and transactions


@case
async def sessions_are_apart(run: Run) -> None:
    client = await run.root()
    session = await client.attach()
    if session is None:
        await client.new_session()
        await client.detach(UNKNOWN)
        return
    run.name(session, "the session")
    await client.query("RETURN 1", session_id=session)
    await client.signin({"username": USER, "password": PASSWORD}, session_id=session)
    await client.use("python", f"{run.database}_session", session_id=session)
    await client.let("name", "session", session_id=session)
    await client.let("name", "connection")
    await client.query("RETURN [$session.db, $name]", session_id=session)
    await client.query("RETURN [$session.db, $name]")
    await client.query_raw("RETURN $name", session_id=session)
    await client.version(session_id=session)
    await client.info(session_id=session)
    await client.unset("name", session_id=session)
    await client.query("RETURN $name", session_id=session)
    await client.invalidate(session_id=session)
    await client.query("RETURN 2", session_id=session)
    await client.detach(session)
    await client.query("RETURN 3", session_id=session)
    await client.detach(session)
    await client.detach(UNKNOWN)
    await client.query("RETURN 4", session_id=UNKNOWN)


@case
async def a_session_does_what_a_connection_does(run: Run) -> None:
    if not run.over_ws:
        return
    root = await run.root()
    await root.query_raw(RECORD_ACCESS)
    session = await root.new_session()
    run.name(session.target._session_id, "the session")
    tokens = await session.signin({"username": USER, "password": PASSWORD})
    await session.use("python", run.database)
    await session.let("name", "Ada")
    await session.query("RETURN $name")
    await session.unset("name")
    await session.create(RecordID("person", 1), {"name": "Ada"})
    await session.select("person")
    await session.insert("person", [{"id": 2}])
    await session.insert_relation("likes", {"id": 1, "in": RecordID("person", 1), "out": RecordID("person", 2)})
    await session.update(RecordID("person", 1), {"name": "Bob"})
    await session.upsert(RecordID("person", 3), {"name": "Cid"})
    await session.merge(RecordID("person", 3), {"age": 3})
    await session.patch(RecordID("person", 3), [{"op": "remove", "path": "/age"}])
    await session.delete(RecordID("person", 2))
    await session.invalidate()
    await session.query("RETURN 1")
    await session.authenticate(tokens.access)
    await session.query("RETURN 2")
    await session.signup(
        {"namespace": "python", "database": run.database, "access": "account", "variables": {"name": "a", "pass": "a"}}
    )
    await session.query("RETURN $auth")
    await session.close_session()
    await session.query("RETURN 3")


@case
async def transactions_are_seen_once_committed(run: Run) -> None:
    client, other = await run.root(), await run.root()
    await client.query("DEFINE TABLE entry; DEFINE TABLE likes TYPE RELATION")
    txn = await client.begin()
    if txn is None:
        await client.commit(UNKNOWN)
        await client.cancel(UNKNOWN)
        return
    await client.query("CREATE entry:1", txn_id=txn)
    await client.query_raw("CREATE entry:2; RETURN 1", txn_id=txn)
    await client.select("entry", txn_id=txn)
    await other.select("entry")
    await client.commit(txn)
    await other.select("entry")
    await client.commit(txn)
    await client.cancel(txn)
    await client.query("RETURN 1", txn_id=txn)
    dropped = await client.begin()
    await client.create(RecordID("entry", 3), {"n": 3}, txn_id=dropped)
    await client.cancel(dropped)
    await other.select("entry")
    await client.query("RETURN 1", txn_id=UNKNOWN)
    await client.commit(UNKNOWN)


@case
async def a_transaction_does_what_a_connection_does(run: Run) -> None:
    if not run.over_ws:
        return
    root, other = await run.root(), await run.root()
    await root.query("DEFINE TABLE person; DEFINE TABLE likes TYPE RELATION")
    session = await root.new_session()
    run.name(session.target._session_id, "the session")
    await session.signin({"username": USER, "password": PASSWORD})
    await session.use("python", run.database)
    for ending in ("commit", "cancel"):
        transaction = await session.begin_transaction()
        await transaction.query("RETURN 1")
        await transaction.create(RecordID("person", 1), {"name": "Ada"})
        await transaction.insert("person", [{"id": 2}])
        await transaction.insert_relation("likes", {"id": 1, "in": RecordID("person", 1), "out": RecordID("person", 2)})
        await transaction.update(RecordID("person", 1), {"name": "Bob"})
        await transaction.upsert(RecordID("person", 3), {"name": "Cid"})
        await transaction.merge(RecordID("person", 3), {"age": 3})
        await transaction.patch(RecordID("person", 3), [{"op": "remove", "path": "/age"}])
        await transaction.select("person")
        await other.select("person")
        await getattr(transaction, ending)()
        await other.select("person")
        await other.query("DELETE person, likes")
        await transaction.query("RETURN 2")


@case
async def a_transaction_deletes_what_it_has_made(run: Run) -> None:
    if not run.over_ws:
        return
    client = await run.root()
    session = await client.new_session()
    run.name(session.target._session_id, "the session")
    await session.signin({"username": USER, "password": PASSWORD})
    await session.use("python", run.database)
    transaction = await session.begin_transaction()
    await transaction.create(RecordID("person", 1), {"name": "Ada"})
    await transaction.delete(RecordID("person", 1))
    await transaction.commit()
    await client.select("person")


@case
async def a_transaction_knows_its_session(run: Run) -> None:
    if not run.over_ws:
        return
    client = await run.root()
    txn = await client.begin()
    await client.query("RETURN [$session.ns, $session.db, $auth]", txn_id=txn)
    await client.cancel(txn)


@case
async def one_of_two_transactions_conflicts(run: Run) -> None:
    if not run.over_ws:
        return
    client, other = await run.root(), await run.root()
    await client.query("CREATE counter:1 SET n = 0")
    first, second = await client.begin(), await other.begin()
    await client.query("UPDATE counter:1 SET n += 1", txn_id=first)
    await other.query("UPDATE counter:1 SET n += 1", txn_id=second)
    await client.commit(first)
    await other.commit(second)
    await client.select("counter")
