"""Values that JSON writes as objects because it knows only texts and numbers: what they mean."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A text that stands in an object: WordPress, New York Times, GData, XML turned into JSON, DynamoDB.
_CARRIERS = ("rendered", "main", "#text", "$t", "_text", "__cdata", "value", "S")


def plain_value(value: object) -> object:
    """Return the value that an object or a list of one value stands for; others as they are.

    Read are the extended JSON of MongoDB, a text wrapped as WordPress and converters of XML do, and
    a list of one value, which is how Solr gives all fields.

    Examples
    --------
    >>> plain_value({"$oid": "5f1a"}), plain_value({"rendered": "Rain in Nantes"})
    ('5f1a', 'Rain in Nantes')
    >>> plain_value({"$date": {"$numberLong": "1709632800000"}}).isoformat()
    '2024-03-05T10:00:00+00:00'
    """
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, dict) or not value:
        return value
    name = next(iter(value))
    if name in _EXTENDED and len(value) == 1:
        try:
            return _EXTENDED[name](value[name])
        except (ValueError, TypeError, OverflowError, KeyError, InvalidOperation):
            return value
    texts = [value[key] for key in _CARRIERS if isinstance(value.get(key), str)]
    return texts[0] if len(texts) == 1 else value


def _moment(value: Any) -> object:
    """Milliseconds since 1970, or a date as it is written."""
    value = plain_value(value)
    if isinstance(value, int | float):
        return _EPOCH + timedelta(milliseconds=value)
    return str(value)


_EXTENDED: dict[str, Callable[[Any], object]] = {
    "$oid": str,
    "$uuid": str,
    "$symbol": str,
    "$numberInt": int,
    "$numberLong": int,
    "$numberDouble": float,
    "$numberDecimal": Decimal,
    "$date": _moment,
    "$timestamp": lambda value: _EPOCH + timedelta(seconds=value["t"]),
    "$undefined": lambda _: None,
}
