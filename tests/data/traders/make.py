"""Write the binary files of this folder: ``python tests/data/traders/make.py``."""

from __future__ import annotations

import gzip
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from arro3.core import Array, DataType  # noqa: E402
from tables import write_parquet, write_workbook  # noqa: E402

HEADER = ["Carat", "Cut", "Color", "Clarity", "Depth", "Table", "Price", "x", "y", "z"]
STONE = [1.01, "Very Good", "G", "VS2", 61.8, 57, 5230, 6.43, 6.47, 3.99]
COLUMNS = "carat,cut,color,clarity,price\n"

# Excel in Germany: CSV without a byte order mark, and a no-break space between the thousands
(HERE / "windows_1252.csv").write_bytes(
    (
        "ref;carat;cut;color;clarity;price;Händler\r\n"
        "K\xf6-1;1,01;Ideal;G;VS2;5\xa0230,00;Köln\r\n"
        "Kö-2;0,50;VG;E;IF;1\xa0890;Zürich\r\n"
    ).encode("cp1252")
)
(HERE / "excel_unicode_text.txt").write_bytes(
    (COLUMNS + "1.01,Ideal,G,VS2,5230\nKöln,,,,\n").replace(",", "\t").encode("utf-16")
)
(HERE / "stock.csv.gz").write_bytes(
    gzip.compress((COLUMNS + "0.23,Ideal,E,SI2,326\n").encode(), mtime=0)
)
write_workbook(
    HERE / "title_above.xlsx",
    {
        "Stock": [
            ["Stock list of November"],
            [],
            [None, "Date", *HEADER, "Remarks"],
            [None, date(2026, 11, 3), *STONE, "reserved"],
            [None, None, "0,50", "VG", "E", "vvs 1", "62", "58", "1.890", None, None, None],
            [],
            [None, None, True, *STONE[1:]],
            [None, None, *STONE[:4], "#DIV/0!", *STONE[5:]],
            [None, None, *STONE[:4], 0.618, 0.57, *STONE[6:]],
            [None, None, 1.01, None, "H", *STONE[3:]],
            [None, "Total", 4.54, None, None, None, None, None, 22810],
        ],
        "Notes": [["Prices in USD"]],
    },
)
write_workbook(
    HERE / "sheet_per_month.xlsx",
    {"March": [HEADER, STONE], "April": [HEADER, STONE, [*STONE[:6], 5100, *STONE[7:]]]},
)
write_workbook(HERE / "workbook_named.csv", {"Stock": [HEADER, STONE]})
write_workbook(HERE / "no_stones.xlsx", {"Stock": [["Article", "Amount"], ["Ring", 3]]})
text = DataType.string()
write_parquet(
    HERE / "typed.parquet",
    {
        "Carat": Array([1.01, 0.23, 0.5], DataType.float32()),
        "CUT": Array(["Very Good", "ID", None], text).cast(
            DataType.dictionary(DataType.int32(), text)
        ),
        "color": ["G", "E", "F"],
        "clarity": ["VS2", "si-2", "IF"],
        "price": Array(["5230.50", "326.00", "900.00"], text).cast(DataType.decimal128(10, 2)),
        "depth": [61.8, None, float("nan")],
        "id": Array([7, 8, 9], DataType.int64()),
        "date": Array([20760, 20761, None], DataType.int32()).cast(DataType.date32()),
        "__index_level_0__": Array([0, 1, 2], DataType.int64()),
    },
)
write_parquet(HERE / "no_price.parquet", {"Carat": [1.01], "cut": ["Ideal"]})
whole = (HERE / "typed.parquet").read_bytes()
(HERE / "cut_off.parquet").write_bytes(whole[:-100])
