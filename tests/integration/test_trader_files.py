"""Files as traders send them (``tests/data/traders``), and exactly what must come of each."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from support import diamond

from diamond_adapters.sources.locate import locate_sources
from diamond_core import SourceUnreadable
from diamond_core.stones.cleaning import NO_STONES, REPEATED_HEADER, TOTAL_LINE
from diamond_core.use_cases.read_stones import read_stones

FOLDER = Path(__file__).parents[1] / "data" / "traders"
CUT = "one of Fair, Good, Very Good, Premium, Ideal (worst to best)"
COLOR = "one of J, I, H, G, F, E, D (worst to best)"
CLARITY = "one of I1, SI2, SI1, VS2, VS1, VVS2, VVS1, IF (worst to best)"
PRICE = "must be the price in USD, a number from 0.01 to 1000000000"
CARAT = "must be the weight in carats, a number from 0.001 to 1000"
DEPTH = "must be the total depth in percent of the mean diameter, a number from 0.001 to 100"
FOREIGN_CUT = (
    f"cut must be {CUT}, not {{}}: Excellent is of GIA's scale and has no equal in this one"
)


def ambiguous(field, text, decimal, thousands):
    return (
        f"{field} is ambiguous: '{text}' can mean {decimal} or {thousands};"
        " write it without a thousands separator"
    )


FULL = (1.01, "Very Good", "G", "VS2", 5230, 61.8, 57, 6.43, 6.47, 3.99)
READ = {
    "german_export.csv": (
        [
            FULL,
            (0.5, "Very Good", "E", "VVS1", 1890, 62, 58, 5.08, 5.11, 3.16),
            (0.3, "Ideal", "F", "SI1", 612.5, 61.2, 56, 4.31, 4.33, 2.64),
        ],
        {5: [f"price {PRICE}, not '12.34,50'"], 6: [TOTAL_LINE]},
    ),
    "us_dollars.csv": (
        [
            (0.51, "Ideal", "F", "VS1", 1890),
            (0.7, "Very Good", "H", "VS2", 2405),
            (0.3, "Good", "I", "SI1", 450),
        ],
        {
            2: [FOREIGN_CUT.format("'EX'")],
            6: [f"price {PRICE}, not '$1,2345.00'"],
            7: [f"price {PRICE}, not '($500.00)'"],
            8: [TOTAL_LINE],
        },
    ),
    "sep_line.csv": (
        [(1.2, "Premium", "J", "I1", 3150), (0.9, "Good", "H", "SI2", 2200)],
        {6: [f"price {PRICE}, not 0"]},
    ),
    "windows_1252.csv --encoding cp1252": (
        [(1.01, "Ideal", "G", "VS2", 5230), (0.5, "Very Good", "E", "IF", 1890)],
        {},
    ),
    "stock.csv.gz --encoding cp1252": ([(0.23, "Ideal", "E", "SI2", 326)], {}),
    "excel_unicode_text.txt": (
        [(1.01, "Ideal", "G", "VS2", 5230)],
        {
            3: [
                f"carat {CARAT}, not 'Köln'",
                f"cut is missing: give {CUT}",
                f"color is missing: give {COLOR}",
                f"clarity is missing: give {CLARITY}",
                f"price is missing: give {PRICE.removeprefix('must be ')}",
            ]
        },
    ),
    "ragged.csv": (
        [(0.23, "Ideal", "E", "SI2", 326), (0.31, "Good", "J", "SI2", 335)],
        {
            3: ["has 6 fields, but the header has 5"],
            4: ["has 3 fields, but the header has 5"],
            6: [TOTAL_LINE],
        },
    ),
    "ambiguous_thousands.csv": (
        [(1, "Ideal", "G", "VS2", 5100), (1, "Ideal", "G", "VS2", 1234)],
        {
            2: [ambiguous("price", "1,234", "1.234", "1234")],
            3: [ambiguous("price", "1.234", "1.234", "1234")],
        },
    ),
    "mixed_notation.csv": (
        [
            (1.05, "Ideal", "G", "VS2", 5230, 61.5),
            (1.05, "Ideal", "G", "VS2", 5230, 61.5),
            (1.05, "Ideal", "G", "VS2", 4890, 61.5),
        ],
        {
            5: [ambiguous("price", "3.150", "3.15", "3150")],
            6: [ambiguous("depth", "1,234", "1.234", "1234")],
        },
    ),
    "dot_carats_dot_thousands.csv": (
        [(0.3, "Ideal", "F", "SI1", 612)],
        {
            2: [ambiguous("price", "5.230", "5.23", "5230")],
            3: [ambiguous("price", "1.890", "1.89", "1890")],
        },
    ),
    "float_output.csv": (
        [
            (0.23, "Ideal", "E", "SI2", 326.125),
            (0.31, "Good", "J", "SI2", 1335.5),
            (1, "Good", "J", "SI2", 4000),
        ],
        {},
    ),
    "euro.csv": (
        [(0.5, "Very Good", "E", "VVS1", 1890)],
        {
            2: ["price is in €, not in USD: convert it"],
            3: ["price is in EUR, not in USD: convert it"],
            4: ["price is in C$, not in USD: convert it"],
        },
    ),
    "blank_and_repeated.csv": (
        [(0.23, "Ideal", "E", "SI2", 326)],
        {
            6: [REPEATED_HEADER],
            7: [f"price {PRICE}, not -335"],
            9: [TOTAL_LINE],
            10: [TOTAL_LINE],
        },
    ),
    "other_order_and_units.csv": (
        [(1.1, "Ideal", "H", "SI2", 4733, 61.5, 56, 6.61, 6.65, 4.08)],
        {3: [f"depth {DEPTH}, not '61.5 mm'"]},
    ),
    "trade_grades.csv": (
        [(1.1, "Good", "D", "I1", 4000), (1.1, "Ideal", "D", "VVS1", 9000)],
        {
            4: [f"color must be {COLOR}, not 'D-E'"],
            5: [f"color must be {COLOR}, not 'K'", f"clarity must be {CLARITY}, not 'FL'"],
            6: [f"cut must be {CUT}, not 'P'"],
            7: [FOREIGN_CUT.format("'Excellent'")],
        },
    ),
    "indian_grouping.csv": (
        [(1.1, "Ideal", "D", "IF", 12345.67), (1.1, "Ideal", "D", "IF", 12345)],
        {
            2: [f"price {PRICE}, not '1,23,456.00'"],
            3: ["price is in Rs, not in USD: convert it"],
        },
    ),
    "swiss_apostrophes.csv": (
        [(1.1, "Ideal", "D", "IF", 12345.5), (1.1, "Ideal", "D", "IF", 12345)],
        {4: [f'price {PRICE}, not "12\'34.50"']},
    ),
    "title_above.xlsx": (
        [FULL, (0.5, "Very Good", "E", "VVS1", 1890, 62, 58)],
        {
            7: [f"carat {CARAT}, not true"],
            8: [f"depth {DEPTH}, not '#DIV/0!'"],
            9: [
                "depth 0.618 is a fraction, as a cell with the format % has: write 61.8",
                "table 0.57 is a fraction, as a cell with the format % has: write 57",
            ],
            10: [f"cut is missing: give {CUT}"],
            11: [TOTAL_LINE],
        },
    ),
    "sheet_per_month.xlsx#April": ([FULL, (*FULL[:4], 5100, *FULL[5:])], {}),
    "workbook_named.csv": ([FULL], {}),
    "typed.parquet": (
        [(1.01, "Very Good", "G", "VS2", 5230.5, 61.8), (0.23, "Ideal", "E", "SI2", 326)],
        {3: [f"cut is missing: give {CUT}"]},
    ),
}
REFUSED = {
    "windows_1252.csv": "byte 0xe4 on line 1 is not UTF-8; save it as UTF-8, or name its encoding,"
    " such as --encoding cp1252",
    "windows_1252.csv --encoding ascii": "byte 0xe4 on line 1 is not ascii; save it as UTF-8, or"
    " name its encoding, such as --encoding cp1252",
    "windows_1252.csv --encoding nonsense": "there is no encoding 'nonsense'",
    "windows_1252.csv --encoding utf-32": "the text after line 0 is not utf-32",
    "sheet_per_month.xlsx": "2 of its sheets have stones: 'March', 'April'; name one, as in"
    f" {FOLDER / 'sheet_per_month.xlsx'}#March",
    "sheet_per_month.xlsx#May": "it has no sheet 'May'; its sheets are 'March', 'April'",
    "no_stones.xlsx": "no row among the first 20 names the columns carat, cut, color, clarity,"
    " price; its sheets are 'Stock'",
    "cut_off.parquet": "the Parquet file is damaged, or has a feature that arro3 can't read",
    "no_price.parquet": "it lacks color, clarity, price; it has 'Carat', 'cut'",
}


def sources(case):
    name, _, encoding = case.partition(" --encoding ")
    return locate_sources([str(FOLDER / name)], encoding or None)


@pytest.mark.parametrize("case", READ)
def test_reads_the_stones_and_names_every_other_line(case):
    stones, rejected = READ[case]
    result, _ = read_stones(sources(case))
    order = ("carat", "cut", "color", "clarity", "price", "depth", "table", "x", "y", "z")
    columns = [result.table.values(name) for name in order]
    read = [
        tuple(value for value in row if value is not None) for row in zip(*columns, strict=True)
    ]
    assert read == stones
    assert {row.line: list(row.reasons) for row in result.rejected} == rejected


@pytest.mark.parametrize("case", REFUSED)
def test_says_why_it_reads_nothing(case):
    with pytest.raises(SourceUnreadable) as caught:
        read_stones(sources(case))
    assert str(caught.value) == f"cannot read {caught.value.source}: {REFUSED[case]}"


def test_every_file_has_its_case():
    named = {each.partition(" ")[0].partition("#")[0] for each in [*READ, *REFUSED]}
    assert {path.name for path in FOLDER.iterdir()} - {"make.py", "__pycache__"} == named


@pytest.mark.parametrize("case", READ)
def test_delivers_every_row_as_it_is_written(case):
    stones, rejected = READ[case]
    for batch in sources(case)[0].read():
        lines = [line for line, _ in batch.delivered]
        assert lines == sorted({*batch.lines, *(row.line for row in batch.malformed)})
        assert len(lines) == len(stones) + len(rejected)
        cells = dict(batch.delivered)
        names = [name.strip().casefold() for name in batch.header]
        for name, values in batch.columns.items():
            for line, value in zip(batch.lines, values, strict=True):
                np.testing.assert_equal(cells[line][names.index(name)], value)


@pytest.mark.parametrize(
    ("case", "ids", "dates"),
    [
        ("windows_1252.csv --encoding cp1252", ["Kö-1", "Kö-2"], None),
        ("other_order_and_units.csv", ["A-17", "A-18"], ["2026-11-03", "2026-11-04"]),
        ("title_above.xlsx", None, [datetime(2026, 11, 3), None, None, None, None, "Total"]),  # noqa: DTZ001
        ("typed.parquet", [7, 8, 9], [date(2026, 11, 3), date(2026, 11, 4), None]),
    ],
)
def test_keeps_identities_and_dates_as_they_are(case, ids, dates):
    (batch,) = sources(case)[0].read()
    found = [list(batch.columns[name]) for name in ("id", "ref", "sku") if name in batch.columns]
    assert found == ([ids] if ids else [])
    assert batch.columns.get("date") is None or list(batch.columns["date"]) == dates


def test_names_the_rows_that_are_no_stones():
    assert {TOTAL_LINE, REPEATED_HEADER} == NO_STONES
    assert TOTAL_LINE == "it is a total line"


@pytest.mark.parametrize("command", [["train"], ["models", "compare", "champion", "champion"]])
def test_commands_take_an_encoding(command, trained_home):
    file = str(FOLDER / "windows_1252.csv")
    done = diamond(trained_home, *command, file, "--encoding", "nonsense", check=False)
    assert done.returncode == 2
    assert "Invalid value for '--encoding': there is no text encoding 'nonsense'" in done.stderr
    done = diamond(trained_home, *command, file, check=False)
    assert "name its encoding, such as --encoding cp1252" in done.stderr
    done = diamond(trained_home, *command, file, "--encoding", "cp1252", check=False)
    assert done.returncode == 1
    assert "2 usable stones" in done.stderr or "stones" in done.stderr.splitlines()[-1]
