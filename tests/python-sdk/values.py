"""What an answer of the SDK is, as JSON: nothing of a value's type or digits is lost, so answers compare as texts."""

import json
import math
import re
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from surrealdb import Datetime, Duration, RecordID, ServerError, Table, Tokens
from surrealdb.data.types.geometry import Geometry, GeometryCollection
from surrealdb.data.types.range import BoundExcluded, BoundIncluded, Range

# The one UUID of version 4 that no client and no server makes up.
UNKNOWN = UUID("44444444-4444-4444-8444-444444444444")

# What is made up anew in each run: two servers never agree on it.
MADE_UP_KEY = re.compile(r"[a-z0-9]{20}")
MADE_UP = [
    (re.compile(r"eyJ[\w-]+\.eyJ[\w-]{60,}\.[\w-]+"), "a token"),
    (re.compile(r"surreal-(refresh|bearer)-\w{12}-\w{24}"), r"a \1 key"),
    (re.compile(r"surrealdb-\d+\.\d+\.\d+\S*"), "a version"),
    (
        re.compile(
            rf"(?!{UNKNOWN})[0-9a-f]{{8}}-[0-9a-f]{{4}}-[47][0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-(?!000000000001)[0-9a-f]{{12}}"
        ),
        "a made-up UUID",
    ),
    (re.compile(rf"(?<=:){MADE_UP_KEY.pattern}\b"), "a made-up key"),
    (re.compile(r"127\.0\.0\.1:\d{4,5}"), "the server"),
    (re.compile(r" at 0x[0-9a-f]+"), ""),
]
# How long a statement took.
TIME = re.compile(r"\d+(\.\d+)?(ns|µs|ms|s)")


class Writer:
    """Writes values as JSON. What is made up gets a name, its own if it was given one."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def name(self, value: Any, name: str) -> None:
        self._names[str(value)] = name

    def text(self, text: str) -> str:
        for value, name in self._names.items():
            text = text.replace(value, name)
        for made_up, instead in MADE_UP:
            text = made_up.sub(instead, text)
        return text

    def value(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            # JSON's numbers lose digits.
            return value if abs(value) < 2**53 else {"int": str(value)}
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, float):
            return {"float": repr(value) if math.isfinite(value) else str(value)}
        if isinstance(value, Decimal):
            return {"Decimal": str(value)}
        if isinstance(value, (bytes, bytearray)):
            return {"bytes": value.hex()}
        if isinstance(value, UUID):
            return {"UUID": self.text(str(value))}
        if isinstance(value, datetime):
            return {"datetime": value.isoformat()}
        if isinstance(value, Datetime):
            return {"Datetime": self.value(value.dt)}
        if isinstance(value, Duration):
            return {"Duration": str(value.elapsed)}
        if isinstance(value, RecordID):
            made_up = isinstance(value.id, str) and MADE_UP_KEY.fullmatch(value.id)
            return {"RecordID": [value.table_name, "a made-up key" if made_up else self.value(value.id)]}
        if isinstance(value, Table):
            return {"Table": value.table_name}
        if isinstance(value, Range):
            return {"Range": [self.value(value.begin), self.value(value.end)]}
        if isinstance(value, (BoundIncluded, BoundExcluded)):
            return {type(value).__name__: self.value(value.value)}
        if isinstance(value, GeometryCollection):
            return {"GeometryCollection": [self.value(each) for each in value.geometries]}
        if isinstance(value, Geometry):
            return {type(value).__name__: self.value(value.get_coordinates())}
        if isinstance(value, Tokens):
            return {"Tokens": [self.value(value.access), self.value(value.refresh)]}
        if isinstance(value, dict):
            return {
                self.text(str(key)): "some time" if is_time(key, item) else self.value(item)
                for key, item in value.items()
            }
        if isinstance(value, (set, frozenset)):
            return {"set": sorted((self.value(each) for each in value), key=json.dumps)}
        if isinstance(value, (list, tuple)):
            return [self.value(each) for each in value]
        return {"object": type(value).__name__}

    def error(self, error: BaseException) -> Any:
        """With all that the SDK offers to programs."""
        told: dict[str, Any] = {"raises": type(error).__name__, "message": self.text(str(error))}
        if isinstance(error, ServerError):
            told |= {"kind": error.kind, "code": error.code, "details": self.value(error.details)}
            if error.server_cause is not None:
                told["cause"] = self.error(error.server_cause)
        return told


def is_time(key: Any, item: Any) -> bool:
    return key == "time" and isinstance(item, str) and TIME.fullmatch(item) is not None
