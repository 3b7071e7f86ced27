"""A real sample with what goes wrong in real files: every good row is used, every bad one told."""

import csv
import json

from support import diamond


def test_trains_on_dirty_data_and_reports_every_bad_row(sample_csv, tmp_path):
    with sample_csv.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    # Rows that are bad of themselves (zero dimensions in the published data) are set apart first.
    good = [row for row in rows if sound(dict(zip(header, row, strict=True)))]
    dirt = {
        10: {"price": "-326"},
        20: {"price": "0"},
        30: {"x": "0", "y": "0", "z": "0"},
        40: dict(zip(header, header, strict=True)),
        50: {"cut": ""},
        60: {"color": " "},
        70: {"clarity": ""},
        80: {"carat": "NaN"},
        90: {"price": "NaN"},
        100: {"depth": "43.0"},
        110: {"cut": "Excellent"},
        120: {"carat": "1,500"},
        130: {"z": "-2.5"},
    }
    lines, expected, kept = [header], {}, 0
    for number, row in enumerate(good):
        values = dict(zip(header, row, strict=True))
        if number in dirt and number != 40:
            values |= dirt[number]
        if values["cut"] == "Very Good" and number % 3 == 0:
            values["cut"] = ["Very good", "VERY GOOD", " very good "][number % 9 // 3]
        lines.append([values[name] for name in header])
        if number in dirt and number != 40:
            expected[len(lines)] = dirt[number]
        else:
            kept += 1
        if number == 40:
            lines.append(header)
            expected[len(lines)] = dirt[40]
    path = tmp_path / "dirty.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows(lines)

    run = json.loads(
        diamond(tmp_path / "home", "train", str(path), "--family", "linear", "--json").stdout
    )

    assert {row["line"] for row in run["rejected"]} == set(expected)
    assert all(row["reasons"] for row in run["rejected"])
    told = {row["line"]: " ".join(row["reasons"]) for row in run["rejected"]}
    for line, changes in expected.items():
        assert any(name in told[line] for name in changes) or "header" in told[line]
    (card,) = run["models"]
    data = card["data"]
    assert data["training_rows"] + data["holdout_rows"] == kept
    assert data["rejected"] == len(expected)
    assert data["rows"] == kept + len(expected)
    assert run["champion"] == card["id"]


def sound(values):
    numbers = {name: float(values[name]) for name in ("depth", "x", "y", "z")}
    if min(numbers.values()) <= 0:
        return False
    measured = 200 * numbers["z"] / (numbers["x"] + numbers["y"])
    return abs(measured - numbers["depth"]) <= 3
