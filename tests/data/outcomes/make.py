"""Write the workbook of this folder with openpyxl: ``python tests/data/outcomes/make.py``."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl

BATCH = "18ea9846f04c237630ad568397b5eb71"
SINGLE = "18ea9846f04c237630ad568397b5eb72"

book = openpyxl.Workbook()
sheet = book.active
sheet.title = "Bought"
sheet.append(["Stones bought in November"])
sheet.append([])
sheet.append(["Prediction", "Depth", "Paid", "Paid on", "Note", "Shop"])
sheet.append([f"{BATCH}-0", 0.615, 4500, date(2026, 11, 3), "ring", "A"])
sheet.append([f" {BATCH.upper()}-1", 0.62, 4600.5, datetime(2026, 11, 4, 15, 30), 4711, "B"])  # noqa: DTZ001
sheet.append([f"{BATCH}-2", None, "$4,700.00", "5.11.2026", None, None])
sheet.append([f"{BATCH}-3", None, 4800, None, None, None])
sheet.append([f"{BATCH}-0", None, 4500, None, None, "the same again"])
sheet.append([f"{BATCH}-1", None, 4601, None, None, "another price"])
sheet.append([f"{BATCH}-9", None, 4500, None, None, "there is no such stone"])
sheet.append([f"{BATCH}-4", None, "=1/0", None, None, "no price"])
sheet.append([f"{BATCH}-4", None, 4500, 46000, None, "a number as date"])
sheet.append([SINGLE, None, 4500, date(2026, 11, 7), None, None])
sheet["B4"].number_format = sheet["B5"].number_format = "0.0%"
sheet["C6"].number_format = "@"
book.create_sheet("Notes").append(["Prices in USD"])
book.save(Path(__file__).with_name("bought.xlsx"))
