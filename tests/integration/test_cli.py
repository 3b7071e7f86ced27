import csv
import json
import os
import re
import sys

import pytest
from click.testing import CliRunner
from support import STONE, diamond

from diamond_app.cli.main import COMMANDS, cli
from diamond_core import FIELDS

OPTIONS = [text for name, value in STONE.items() for text in (f"--{name}", str(value))]


def commands(group=cli, path=()):
    yield path
    if hasattr(group, "list_commands"):
        for name in group.list_commands(None):
            yield from commands(group.get_command(None, name), (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example(path):
    done = CliRunner().invoke(cli, [*path, "--help"])
    assert done.exit_code == 0
    assert re.search(r"Examples?:\n\s+diamond ", done.output)


def test_lists_each_command_with_a_line_of_help():
    output = CliRunner().invoke(cli, ["--help"]).output
    for name, (_, line) in COMMANDS.items():
        assert f"{name} " in output
        assert line[:30] in output


def test_prices_a_stone(trained_home):
    answer = json.loads(diamond(trained_home, "predict", *OPTIONS, "--json").stdout)
    assert 3000 < answer["price"] < 7000
    assert answer["price_range"]["low"] < answer["price"] < answer["price_range"]["high"]
    assert answer["assumed"] == ["depth", "table", "x", "y", "z"]
    told = diamond(trained_home, "predict", *OPTIONS, "--depth", "61.5").stdout
    assert "not given, assumed: table, x, y, z" in told
    assert f"${diamond_price(told):,.2f}" in told


def diamond_price(text):
    return float(re.search(r"\$([\d,.]+)", text)[1].replace(",", ""))


def test_shows_similar_stones(trained_home):
    answer = json.loads(diamond(trained_home, "similar", *OPTIONS, "-n", "3", "--json").stdout)
    assert answer["count"] == len(answer["diamonds"]) == 3
    assert answer["available"] >= 3
    assert {stone["clarity"] for stone in answer["diamonds"]} == {"SI2"}
    assert "3 of " in diamond(trained_home, "similar", *OPTIONS, "-n", "3").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["predict", "--carat", "-1", "--cut", "Idol"], 1, "carat: must be"),
        (["predict"], 1, "carat: is missing"),
        (["similar", *OPTIONS, "-n", "0"], 2, "not in the range"),
        (["predict", "gone.csv"], 2, "does not exist"),
        (["predict", *OPTIONS, "--output", "x.csv"], 2, "need a file"),
        (["train", "gone.csv"], 1, "file not found"),
        (["train", "--family", "best"], 1, "no model family 'best'"),
        (["train", "--trials", "-1"], 2, "--trials"),
        (["models", "show", "gone"], 1, "there is no model 'gone'"),
        (["models", "show", "../../etc"], 1, "is not a model id"),
        (["models", "promote", "gone", "--reason", "x"], 1, "there is no model 'gone'"),
        (["models", "promote", "gone"], 2, "--reason"),
        (["models", "rollback"], 1, "no earlier champion can be served"),
        (["requests", "list", "--id", ""], 2, "is empty"),
        (["nothing"], 2, "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_tells_a_problem_in_one_line(trained_home, arguments, code, told):
    done = diamond(trained_home, *arguments, check=False)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert done.stderr.count("\n") == 1


def test_says_that_there_is_no_model_yet(tmp_path):
    home = tmp_path / "home"
    for arguments in (["predict", *OPTIONS], ["similar", *OPTIONS], ["models", "show", "champion"]):
        done = diamond(home, *arguments, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "run: diamond train" in done.stderr
    assert json.loads(diamond(home, "models", "list", "--json").stdout) == []


def test_keeps_a_history_and_goes_back_in_it(trained_home, small_csv):
    first = json.loads(diamond(trained_home, "models", "show", "champion", "--json").stdout)
    run = json.loads(
        diamond(
            trained_home, "train", str(small_csv), "--family", "linear", "--force", "--json"
        ).stdout
    )
    second = run["models"][0]["id"]
    assert run["champion"] == first["id"]
    listed = json.loads(diamond(trained_home, "models", "list", "--json").stdout)
    assert [card["id"] for card in listed] == [second, first["id"]]
    diamond(trained_home, "models", "promote", second, "--reason", "a test")
    assert second in diamond(trained_home, "predict", *OPTIONS).stdout
    diamond(trained_home, "models", "rollback")
    assert first["id"] in diamond(trained_home, "predict", *OPTIONS).stdout
    files = sorted((trained_home / "promotions").iterdir())
    assert [file.name for file in files] == ["000001.json", "000002.json", "000003.json"]
    promotions = [json.loads(file.read_text()) for file in files]
    assert [each["previous"] for each in promotions] == [None, first["id"], second]
    assert [each["model_id"] for each in promotions] == [first["id"], second, first["id"]]
    assert promotions[1]["reason"] == "a test"
    assert all(each["by"] and each["at"] for each in promotions)
    table = diamond(trained_home, "models", "list").stdout
    assert table.count("champion") >= 1


def test_prints_the_cards_that_scripts_rely_on(trained_home, sample_csv):
    run = json.loads(
        diamond(trained_home, "train", str(sample_csv), "--family", "linear", "--json").stdout
    )
    assert set(run) == {"models", "champion", "rejected"}
    (card,) = run["models"]
    assert card["id"] == run["champion"]
    assert card == json.loads((trained_home / "models" / card["id"] / "card.json").read_text())
    files = {path.name for path in (trained_home / "models" / card["id"]).iterdir()}
    assert files >= {"card.json", "model.onnx", "estimator.joblib"}
    assert [each.name for each in (trained_home / "samples").iterdir()] == [
        f"{card['samples']}.npy"
    ]


def test_prices_a_csv_row_by_row(trained_home, tmp_path):
    text = (
        "note;CARAT;cut;color;clarity;z;price\r\n"
        'first;1.1;Ideal;H;SI2;;1\r\n"a ""quoted"" one";0.5;very good;D;if;3.2;\r\n'
        "bad;-1;Idol;H;SI2;;\r\n\r\nshort;1\r\nlong;1.1;Ideal;H;SI2;;1;2\r\n"
    )
    (tmp_path / "stones.csv").write_bytes(text.encode("utf-8-sig"))
    out = tmp_path / "priced.csv"
    done = diamond(trained_home, "predict", str(tmp_path / "stones.csv"), "--output", str(out))
    assert "2 stones priced, 3 rows not priced" in done.stderr
    header, *rows = csv.reader(out.read_text(encoding="utf-8").splitlines(), delimiter=";")
    added = ["predicted_price", "price_low", "price_high", "error", "warning"]
    assert header == ["note", "CARAT", "cut", "color", "clarity", "z", "price", *added]
    assert [row[0] for row in rows] == ["first", 'a "quoted" one', "bad", "short", "long"]
    assert all(len(row) == len(header) for row in rows)
    assert float(rows[0][7]) == diamond_price(diamond(trained_home, "predict", *OPTIONS).stdout)
    assert float(rows[1][8]) < float(rows[1][7]) < float(rows[1][9])
    assert rows[0][10] == rows[1][10] == ""
    assert "carat must be the weight in carats" in rows[2][10]
    assert "cut must be one of" in rows[2][10]
    assert "has 2 fields, but the header has 7" in rows[3][10]
    assert rows[4][6] == "1;2"


def test_prices_a_csv_to_stdout_and_many_rows(trained_home, sample_csv):
    done = diamond(trained_home, "predict", str(sample_csv))
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert len(rows) == 5000
    assert set(FIELDS) <= set(rows[0])
    assert sum(row["error"] == "" for row in rows) > 4980


def test_doctor_finds_what_is_ill(trained_home):
    healthy = diamond(trained_home, "doctor")
    assert "FAIL" not in healthy.stdout
    (model,) = (trained_home / "models").iterdir()
    graph = model / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\x00\x01")
    ill = diamond(trained_home, "doctor", "--json", check=False)
    assert ill.returncode == 1
    findings = {each["check"]: each for each in json.loads(ill.stdout)}
    assert not findings["all models are undamaged"]["ok"]
    assert (
        "model.onnx is not the file that was trained"
        in findings["champion prices stones"]["problem"]
    )
    assert findings["request log can be read"]["ok"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIAMOND_API_KEYS", "nonsense-without-a-name"),
        ("DIAMOND_DATABASE_URL", "oracle://me:secret-word@host/x"),
        ("DIAMOND_HOME", "/dev/null"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path, name, value):
    done = diamond(tmp_path / "home", "serve", check=False, **{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith(f"diamond: {name}: ")
    assert done.stderr.count("\n") == 1
    assert "secret-word" not in done.stderr
    assert "nonsense" not in done.stderr


def test_ends_quietly_when_nobody_reads_on(trained_home):
    command = f"{sys.executable} -m diamond_app models list --json | head -c 1"
    assert (
        os.system(f"cd {trained_home.parent} && DIAMOND_HOME={trained_home} {command} >/dev/null")
        == 0
    )
