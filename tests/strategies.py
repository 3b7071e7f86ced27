"""Values that property tests of more than one module draw from."""

import numpy as np
from hypothesis import strategies as st

from diamond_core import Clarity, Color, Cut, Diamond
from diamond_core.stones.fields import FIELDS, GRADES

some_measured = st.builds(
    Diamond,
    carat=st.floats(0.01, 1000),
    cut=st.sampled_from(Cut),
    color=st.sampled_from(Color),
    clarity=st.sampled_from(Clarity),
    depth=st.none() | st.floats(1, 100),
    table=st.none() | st.floats(1, 100),
    x=st.none() | st.floats(1, 100),
    y=st.none() | st.floats(1, 100),
)
"""Stones with any of their measurements but z, so that none contradicts another."""

_PLAIN = {"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"}
_MEASURED = _PLAIN | {"depth": 61.5, "table": 57, "x": 6.6, "y": 6.6, "z": 4.06}
_WORDS = {"cut": "very good", "color": " h", "clarity": "vvs-1"}
_ODD = (
    st.booleans()
    | st.text(max_size=4)
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["1.1", "Ideal", "NaN", 10**19, 10**400, -(10**400), 1e308, 5e-324])
    | st.recursive(
        st.none() | st.integers(0, 9),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=1), inner),
        max_leaves=4,
    )
)


def _values_of(name):
    """Return what a field may hold: what is valid, more or less, at the limits, or anything."""
    field = FIELDS[name]
    if name in GRADES:
        return st.sampled_from([*field.grades, _WORDS[name], None]) | _ODD
    ends = (field.minimum, field.maximum)
    beyond = (float(np.nextafter(ends[0], 0.0)), float(np.nextafter(ends[1], np.inf)))
    return (
        st.floats(*ends)
        | st.integers(1, int(field.maximum))
        | st.sampled_from([*ends, *beyond, 0, -0.0, -1, 70, None])
        | _ODD
    )


json_stones = st.builds(
    lambda whole, changes, unknown, missing: {
        name: value for name, value in (whole | changes | unknown).items() if name not in missing
    },
    st.sampled_from([_PLAIN, _MEASURED]),
    st.fixed_dictionaries({}, optional={name: _values_of(name) for name in FIELDS}).flatmap(
        lambda values: st.sets(st.sampled_from([*values] or [""]), max_size=3).map(
            lambda names: {name: values[name] for name in names if name in values}
        )
    ),
    st.just({}) | st.dictionaries(st.sampled_from(["weight", "", "a/b~c", "💎"]), _ODD, max_size=2),
    st.just(frozenset()) | st.frozensets(st.sampled_from([*FIELDS]), max_size=1),
)
"""Stones as JSON has them: valid, loosely written, contradictory, incomplete, or wrong in any way."""
