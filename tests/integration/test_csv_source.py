import csv
import gzip
import http.server
import io
import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import write_parquet, write_workbook

from diamond_adapters.sources import csv_rows
from diamond_adapters.sources.bundled import bundled_source
from diamond_adapters.sources.csv_source import CsvSource
from diamond_adapters.sources.locate import locate_sources, locate_unattended
from diamond_core import SourceUnreadable
from diamond_core.use_cases.read_stones import read_stones
from diamond_core.use_cases.training_split import TrainingSplit
from diamond_core.use_cases.training_stones import TrainingStones

HEADER = "carat,cut,color,clarity,depth,table,price,x,y,z"
ROW = "0.23,Ideal,E,SI2,61.5,55,326,3.95,3.98,2.43"
ANOTHER = "0.31,Good,J,SI2,63.3,58,335,4.34,4.35,2.75"


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "stones.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_stones([CsvSource.from_path(path)])[0]

    return read


def refusal(read, content):
    with pytest.raises(SourceUnreadable) as caught:
        read(content)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{ROW}\n",
        f"\ufeff{HEADER}\r\n{ROW}\r\n",
        f"{HEADER}\r{ROW}\r",
        f"\n\n{HEADER}\n\n{ROW}\n\n\n",
        f'{HEADER}\n"0.23","Ideal","E","SI2","61.5","55","326","3.95","3.98","2.43"',
        f"{HEADER}\n{ROW}".replace(",", ";"),
        f"{HEADER}\n{ROW}".replace(",", "\t"),
        f" Carat , CUT,Color,clarity,depth,table,price,x,y,z\n{ROW}",
        f"id,{HEADER},note\n1,{ROW},'fine; really\tso'\n",
        "z,y,x,price,table,depth,clarity,color,cut,carat\n"
        + ",".join(reversed(ROW.split(",")))
        + "\n",
        gzip.compress(f"{HEADER}\n{ROW}\n".encode()),
        f"{HEADER}\n{ROW}\n".replace(",", "\t").encode("utf-16"),
        f"sep=;\n{HEADER}\n{ROW}\n".replace(",", ";"),
        f'"sep=|"\n{HEADER}\n{ROW}\n'.replace(",", "|"),
    ],
    ids=range(14),
)
def test_reads_the_same_stone_however_it_is_written(read, content):
    result = read(content)
    assert result.rejected == ()
    assert result.table.rows.tolist() == [(0.23, 4, 5, 1, 61.5, 55.0, 3.95, 3.98, 2.43, 326.0)]


def test_needs_only_the_four_cs_and_the_price(read):
    table = read("price,carat,cut,color,clarity\n326,0.23,Ideal,E,SI2").table
    assert table.diamond(0).unknown == ["depth", "table", "x", "y", "z"]


def test_counts_lines_as_an_editor_does(read):
    content = f'{HEADER},note\n{ROW},"two\nlines"\n\n{ROW},\n{ROW.replace("326", "-1")},\nshort\n'
    result = read(content)
    assert len(result.table) == 2
    assert [(row.line, row.reasons[0][:20]) for row in result.rejected] == [
        (6, "price must be the pr"),
        (7, "has 1 fields, but th"),
    ]


def test_reads_a_header_without_rows(read):
    assert len(read(HEADER).table) == 0


def test_says_clearly_what_it_can_not_read(read, tmp_path):
    assert "empty" in refusal(read, "")
    assert "empty" in refusal(read, "\n \n")
    assert "lacks price" in refusal(read, "carat,cut,color,clarity\n1,Ideal,D,IF")
    assert "separated by commas, semicolons or tabs" in refusal(read, HEADER.replace(",", "|"))
    assert "carat more than once" in refusal(read, f"{HEADER},carat\n{ROW},1")
    told = refusal(read, f"{HEADER}\n{ROW}\n".encode() + b"caf\xe9,1\n")
    assert "byte 0xe9 on line 3 is not UTF-8" in told
    assert "after line 1 is not UTF-16" in refusal(read, f"{HEADER}\n{ROW}\n".encode("utf-16")[:-1])
    assert "gzip data is damaged" in refusal(read, gzip.compress(HEADER.encode() * 99)[:-9])
    told = refusal(read, f"sep=,\n{HEADER}\n".encode() + b"\n\ncaf\xe9,1\n")
    assert "byte 0xe9 on line 5 is not UTF-8" in told
    with pytest.raises(SourceUnreadable, match="No such file"):
        read_stones([CsvSource.from_path(tmp_path / "gone.csv")])


@pytest.fixture
def web_server(tmp_path):
    (tmp_path / "stones.csv").write_text(f"{HEADER}\n{ROW}\n")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_reads_a_url_and_keeps_its_secrets(web_server):
    address = f"127.0.0.1:{web_server}"
    (source,) = locate_sources([f"http://{address}/stones.csv?token=secret"])
    assert len(read_stones([source])[0].table) == 1
    assert source.name == f"http://{address}/stones.csv?token=***"
    (source,) = locate_sources([f"http://me:secret@{address}/stones.csv"])
    assert source.name == f"http://***@{address}/stones.csv"


def test_reads_workbooks_and_parquet_files_from_urls(web_server, tmp_path):
    names, stone = HEADER.split(","), ROW.split(",")
    write_workbook(tmp_path / "two.xlsx", {"A": [names, stone], "B B": [names, stone, stone]})
    write_parquet(tmp_path / "stones.parquet", {n: [v] for n, v in zip(names, stone, strict=True)})
    (tmp_path / "cp1252.csv").write_bytes(f"{HEADER},note\n{ROW},K\xf6ln\n".encode("cp1252"))
    for name, stones in (("two.xlsx#B%20B", 2), ("stones.parquet", 1), ("cp1252.csv", 1)):
        (source,) = locate_sources([f"http://127.0.0.1:{web_server}/{name}"], "cp1252")
        assert len(read_stones([source])[0].table) == stones
    (source,) = locate_sources([f"file://{tmp_path}/two.xlsx#A"], "cp1252")
    assert len(read_stones([source])[0].table) == 1


def test_says_clearly_that_a_url_does_not_answer(web_server):
    (source,) = locate_sources([f"http://127.0.0.1:{web_server}/gone.csv"])
    with pytest.raises(SourceUnreadable, match="the server answered 404"):
        read_stones([source])
    (source,) = locate_sources(["http://127.0.0.1:1/stones.csv"])
    with pytest.raises(SourceUnreadable, match="refused"):
        read_stones([source])


def test_finds_files_by_path_and_glob(tmp_path):
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text(f"{HEADER}\n{ROW}\n")
    found = locate_sources([str(tmp_path / "*.csv"), str(tmp_path / "c.txt")])
    assert [source.name.rpartition("/")[2] for source in found] == ["a.csv", "b.csv", "c.txt"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gone*.csv", "file not found"),
        (".", "is a folder"),
        ("ftp://me:secret@host/a", "begins with one of"),
    ],
)
def test_says_clearly_that_there_is_no_such_source(text, told):
    with pytest.raises(SourceUnreadable, match=told) as caught:
        locate_sources([text])
    assert "secret" not in str(caught.value)


def test_has_the_bundled_stones():
    (source,) = locate_sources([])
    assert "2008 prices" in source.name
    result, _ = read_stones([source])
    assert len(result.table) + len(result.rejected) == 53_940
    assert len(result.rejected) < 100


@pytest.mark.parametrize(
    "text", ["mysql://me:secret@host/shop?tabel=bought", "ftp://host/a?b", "file:///gone.csv?x"]
)
def test_a_url_with_a_question_mark_is_no_glob(text):
    (source,) = locate_unattended([text])
    with pytest.raises(SourceUnreadable) as caught:
        list(source.read())
    assert "secret" not in str(caught.value)


def test_what_is_trained_on_the_bundled_stones_is_at_2008_prices():
    stones = TrainingStones.from_sources([bundled_source()], date(2026, 1, 1))
    summary = TrainingSplit.of(stones).summary
    assert summary.priced_as() == "Round, natural, polished; at 2008 prices."
    assert not summary.level_has_moved


@given(st.text('a1,"\r\n ', max_size=60), st.integers(1, 50), st.integers(1, 5))
def test_knows_on_which_line_each_row_ends(text, size, maximum):
    text = f"a,b\n{text}"
    reader = csv.reader(io.StringIO(text, newline=""))
    expected = [(reader.line_num, row) for row in reader if "".join(row).strip()][1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "_BLOCK", size)
        rows = csv_rows.CsvRows("test", io.BytesIO(text.encode()))
        delivered, malformed, whole = [], [], []
        while batch := rows.take(maximum):
            assert 0 < len(batch.delivered) <= maximum
            delivered += [(line, list(cells)) for line, cells in batch.delivered]
            malformed += [row.line for row in batch.malformed]
            whole += batch.lines
    assert delivered == expected
    assert whole == [line for line, row in expected if len(row) == 2]
    assert malformed == [line for line, row in expected if len(row) != 2]
