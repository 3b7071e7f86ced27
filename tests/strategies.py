"""Values that property tests of more than one module draw from."""

from hypothesis import strategies as st

from diamond_core import Clarity, Color, Cut, Diamond

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
