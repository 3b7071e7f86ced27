"""What people do with the pages, in a real Chromium against a real service."""

from __future__ import annotations

import csv
import io
import random
import re

import pytest
from browser import home_with_report, visiting
from support import STONE, serving

SEARCH = "/?carat=1.1&cut=Ideal&color=H&clarity=SI2"


@pytest.fixture(scope="module")
def open_service(trained_once, tmp_path_factory):
    home = home_with_report(trained_once, tmp_path_factory.mktemp("open"))
    with serving(home) as running:
        yield running


@pytest.fixture(params=[390, 1280])
def visit(request, browser, open_service):
    with visiting(browser, open_service.url, request.param) as one:
        yield one


@pytest.fixture
def desk(browser, open_service):
    with visiting(browser, open_service.url) as one:
        yield one


def choose_grades(page, **grades):
    for field, grade in grades.items():
        page.get_by_role("group", name=re.compile(field, re.IGNORECASE)).get_by_text(
            grade, exact=True
        ).click()


def test_prices_a_stone_beside_its_comparables_and_their_chart(visit, open_service):
    page = visit.open("/")
    page.get_by_label("Carat").fill("1.1")
    choose_grades(page, cut="Ideal", color="H", clarity="SI2")
    page.get_by_role("button", name="Price this stone").click()
    answer = open_service.post("/v1/predictions", STONE).json
    page.locator("#answer").get_by_text(f"${answer['price']:,.0f}", exact=True).wait_for()
    for end in answer["price_range"]["low"], answer["price_range"]["high"]:
        assert f"${end:,.0f}" in page.locator("#answer .range").inner_text()
    assert "all measurements" in page.locator("#answer").inner_text()
    assert "CSV" not in page.locator("#data-note").inner_text()
    similar = open_service.get("/v1/similar?carat=1.1&cut=Ideal&color=H&clarity=SI2&n=10").json
    prices = page.locator("#similar-table tbody td:nth-child(3)").all_inner_texts()
    assert prices == [f"${stone['price']:,.0f}" for stone in similar["diamonds"]]
    assert page.locator("#scatter .dots path").count() == 10
    assert page.locator("#scatter .intervals .dot").count() == 1
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    visit.screenshot("price")


def test_the_address_holds_the_prediction(desk):
    page = desk.open(f"{SEARCH}&n=7&depth=61.8")
    price = page.locator("#answer .price").inner_text()
    assert page.locator("#similar-table tbody tr").count() == 7
    page.get_by_label("How many").fill("12")
    page.get_by_role("button", name="Show similar stones").click()
    page.locator("#similar-table tbody tr:nth-child(12)").wait_for()
    assert "n=12" in page.url
    assert "depth=61.8" in page.url
    page.reload()
    page.locator("#similar-table tbody tr:nth-child(12)").wait_for()
    assert page.locator("#answer .price").inner_text() == price
    assert page.get_by_label("Depth, %").input_value() == "61.8"
    page.go_back()
    page.locator("#similar-table tbody tr:nth-child(8)").wait_for(state="detached")
    assert page.get_by_label("How many").input_value() == "7"


def test_says_why_in_words_and_as_a_waterfall(desk):
    page = desk.open(SEARCH)
    rows = page.locator("#why-said tbody tr")
    rows.nth(6).wait_for()
    assert page.locator("#why-said p").inner_text().startswith("The typical stone costs $")
    names = ["A typical stone", "Weight", "Cut", "Color", "Clarity", "Measurements", "This stone"]
    assert [text.split("\n")[0].partition("\t")[0][: len(name)]
            for text, name in zip(rows.all_inner_texts(), names, strict=True)] == names  # fmt: skip
    bars_join(page)


def bars_join(page):
    """See that each bar of the waterfall begins where the one before ends."""
    bars = page.evaluate(
        """() => [...document.querySelectorAll(".waterfall span")].map((bar) =>
            [parseFloat(bar.style.left), parseFloat(bar.style.width), bar.className])"""
    )
    reached = bars[0][1]
    for left, width, kind in bars[1:-1]:
        assert left == pytest.approx(reached if kind == "more" else reached - width, abs=0.01)
        reached += width if kind == "more" else -width
    assert reached == pytest.approx(bars[-1][1], abs=0.01)


def test_compares_with_a_chosen_stone_by_keyboard(visit, open_service):
    page = visit.open(SEARCH)
    price = page.locator("#answer .price").inner_text()
    page.get_by_text("Compare with another stone").focus()
    page.keyboard.press("Enter")
    other = page.locator("#compare")
    assert other.get_by_label("Its weight").input_value() == "1.1"  # as the priced stone
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("0,9")
    for _ in ("cut", "color"):
        page.keyboard.press("Tab")
    page.keyboard.type("G")
    page.keyboard.press("Enter")
    other.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("The other stone costs $").wait_for()
    row = page.locator("#why-said tbody tr").first
    assert "0.9 ct, Ideal, G, SI2" in row.inner_text()
    assert page.locator("#answer .price").inner_text() == price
    bars_join(page)
    assert visit.accessibility_violations() == []
    visit.screenshot("compared")
    page.reload()
    page.get_by_text("The other stone costs $").wait_for()
    page.get_by_role("button", name="Compare with the typical stone").click()
    page.get_by_text("The typical stone costs $").wait_for()
    assert "compared_with" not in page.url
    page.go_back()
    page.get_by_text("The other stone costs $").wait_for()


def test_errors_of_the_other_stone_stand_beside_its_fields(desk):
    desk.expected = ["status of 422"]
    page = desk.open(f"{SEARCH}&compared_with=x,Ideal,G,SI2")
    page.locator("[id='compared_with/carat-error']:not(:empty)").wait_for()
    assert page.evaluate("document.activeElement.id") == "compared_with/carat"
    assert page.locator("#carat-error").inner_text() == ""


OUTSIDE = SEARCH.replace("1.1", "6") + "&depth=61.5&table=57&x=11.7&y=11.7&z=7.2"


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_hands_over_a_certificate_of_the_prediction_that_is_shown(
    browser, open_service, width, scheme, tmp_path
):
    with visiting(browser, open_service.url, width, scheme) as visit:
        asked = []
        visit.page.context.on(
            "request", lambda each: asked.append(each.url) if each.method == "POST" else None
        )
        page = visit.open(SEARCH)
        page.locator("#answer .price").wait_for()
        id = page.locator("#answer .code").inner_text()
        price = page.locator("#answer .price").inner_text()
        with page.expect_popup() as opened:
            page.get_by_role("button", name="Certificate").click()
        visit.page = certificate = opened.value
        certificate.get_by_text("its price was off by").wait_for()
        certificate.get_by_label("Name of the jeweller").fill("Meier & Daughters")
        certificate.reload()
        certificate.get_by_text("its price was off by").wait_for()
        assert len(asked) == 1
        assert certificate.get_by_label("Name of the jeweller").input_value() == "Meier & Daughters"
        sheet = certificate.locator("#sheet").inner_text()
        assert id in sheet
        assert id in certificate.title()
        amount = certificate.locator(".amount").inner_text()
        assert f"${float(amount.strip('$').replace(',', '')):,.0f}" == price
        for words in ("1.10 carat", "Round, natural, polished", "from the 4 Cs alone", "SIGNATURE"):
            assert words in sheet
        assert certificate.locator("#known tbody tr").count() == 5
        assert certificate.locator("#why tbody tr").last.inner_text().endswith(amount)
        bars_join(certificate)
        assert visit.accessibility_violations() == []
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert certificate.evaluate(overflow) <= 0
        visit.screenshot(f"certificate-{scheme}")


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("search", [SEARCH, f"{OUTSIDE}&compared_with=1,Good,D,IF"])
def test_a_certificate_prints_on_one_page_in_black_on_white(browser, open_service, paper, search):
    with visiting(browser, open_service.url, scheme="dark") as visit:
        page = visit.open(search)
        with page.expect_popup() as opened:
            page.get_by_role("button", name="Certificate").click()
        certificate = opened.value
        certificate.get_by_text("its price was off by").wait_for()
        assert ("with care" in certificate.locator("#warning").inner_text()) == (search != SEARCH)
        printed = certificate.pdf(format=paper)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        certificate.emulate_media(media="print")
        colors = "(name) => getComputedStyle(document.querySelector(name)).%s"
        assert certificate.evaluate(colors % "color", ".amount") == "rgb(0, 0, 0)"
        white = ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
        assert certificate.evaluate(colors % "backgroundColor", "#sheet") in white
        assert certificate.evaluate(colors % "backgroundColor", "body") in white
        assert certificate.get_by_text("carat · Ideal cut").is_visible()
        assert certificate.get_by_role("button", name="Print").is_hidden()


def test_a_certificate_of_nothing_says_what_to_do(visit):
    page = visit.open("/certificate")
    page.get_by_text("press Certificate below its price").wait_for()
    assert page.locator("#sheet").is_hidden()
    assert visit.accessibility_violations() == []
    page.get_by_role("link", name="Price a stone").click()
    page.get_by_role("heading", name="What is this diamond worth?").wait_for()


def test_a_prediction_prints_on_one_page(desk):
    page = desk.open(f"{SEARCH}&n=25")
    page.locator("#similar-table tbody tr:nth-child(25)").wait_for()
    page.locator("#why-said tbody tr:nth-child(7)").wait_for()
    printed = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_errors_of_the_service_stand_beside_their_fields(visit):
    visit.expected = ["status of 422"]
    page = visit.open("/")
    page.get_by_label("Carat").fill("heavy")
    choose_grades(page, cut="Ideal", color="H")
    page.get_by_label("How many").fill("0")
    page.get_by_role("button", name="Price this stone").click()
    page.locator("#carat-error:not(:empty)").wait_for()
    assert "from 0.001 to 1000" in page.locator("#carat-error").inner_text()
    assert "IF" in page.locator("#clarity-error").inner_text()
    assert "1000" in page.locator("#n-error").inner_text()
    assert page.locator("#cut-error").inner_text() == ""
    assert page.get_by_label("Carat").get_attribute("aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "carat"
    visit.screenshot("price-errors")
    page.keyboard.press("Control+A")
    page.keyboard.type("1,1")  # as many write it
    choose_grades(page, clarity="SI2")
    page.get_by_label("How many").fill("3")
    assert page.locator("#carat-error").inner_text() == ""
    page.get_by_role("button", name="Price this stone").click()
    page.locator("#similar-table tbody tr:nth-child(3)").wait_for()
    assert page.locator("[aria-invalid]").count() == 0


def test_warns_of_a_stone_outside_the_training_range(desk):
    page = desk.open(SEARCH.replace("1.1", "6"))
    page.get_by_text("Use this price with care").wait_for()
    assert "carat is outside" in page.locator("#answer .notice").inner_text()
    desk.screenshot("price-outside")


def test_the_chart_is_walked_by_keyboard(desk):
    page = desk.open(f"{SEARCH}&n=5")
    page.locator("#scatter .chart-box").focus()
    page.keyboard.press("Home")
    page.locator("#scatter .tip").wait_for()
    assert re.fullmatch(r"1\.\d+ ct, \$[\d,]+", page.locator("#scatter .tip").inner_text())
    assert page.locator("#similar-table tr.lit").count() == 1
    assert page.locator("#scatter .dot.lit").count() == 1
    page.keyboard.press("End")
    assert page.locator("#similar-table tr.lit").count() == 0
    assert page.locator("#scatter .tip").inner_text().startswith("This stone: 1.1 ct")
    page.keyboard.press("Escape")
    assert page.locator("#scatter .tip").is_hidden()
    page.locator("#similar-table tbody tr").first.hover()
    assert page.locator("#scatter .dot.lit").count() == 1


def test_a_csv_comes_back_priced(visit, tmp_path):
    given = [
        ["Stock No", "carat", "cut", "color", "clarity", "remark"],
        ["7", "1.1", "Ideal", "H", "SI2", '=SUM(A1), "quoted"'],
        ["8", "none", "Ideal", "H", "SI2", "two\nlines"],
        ["9", "0.5", "very good", "d", "vs1", "💎"],
    ]
    path = tmp_path / "stock list.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows(given)
    page = visit.open("/stones")
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_role("button", name="Price the stones").click()
    page.get_by_text("2 stones priced").wait_for()
    assert (
        "carat must be the weight in carats, a number from 0.001 to 1000, not 'none'"
        in page.locator("#reasons").inner_text()
    )
    visit.screenshot("stones")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    assert started.value.suggested_filename == "stock list-priced.csv"
    started.value.save_as(tmp_path / "priced.csv")
    with (tmp_path / "priced.csv").open(newline="", encoding="utf-8-sig") as file:
        priced = list(csv.reader(file, delimiter=";"))
    given[1][5] = f"'{given[1][5]}"  # a spreadsheet must not calculate it
    assert [row[:6] for row in priced] == given
    assert priced[0][6:] == ["predicted_price", "price_low", "price_high", "error", "warning"]
    assert [bool(float(row[6] or 0)) for row in priced[1:]] == [True, False, True]
    assert [bool(row[9]) for row in priced[1:]] == [False, True, False]


def test_fifty_thousand_stones_come_back_in_their_order(desk, bundled_rows, tmp_path):
    header, *rows = bundled_rows
    numbered = [["no", *header], *([str(n), *row] for n, row in enumerate(rows[:50_000]))]
    path = tmp_path / "many.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(numbered)
    page = desk.open("/stones")
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_role("button", name="Price the stones").click()
    page.locator("#result").wait_for(timeout=60_000)
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    started.value.save_as(tmp_path / "priced.csv")
    with (tmp_path / "priced.csv").open(newline="", encoding="utf-8") as file:
        priced = list(csv.reader(file))
    assert [row[:-5] for row in priced] == numbered
    assert sum(row[-2] == "" for row in priced[1:]) > 49_900


def test_says_what_is_wrong_with_a_file_that_is_no_csv_of_stones(desk, tmp_path):
    desk.expected = ["status of 422"]
    page = desk.open("/stones")
    page.get_by_role("button", name="Price the stones").click()
    page.get_by_text("Choose a CSV file first.").wait_for()
    for content, said in [
        (b"name,age\nAnna,7\n", "the header lacks carat, cut, color, clarity"),
        ("carat;cut\n1;sch\xf6n\n".encode("latin-1"), "not UTF-8"),
        (b"", "empty"),
    ]:
        (tmp_path / "wrong.csv").write_bytes(content)
        page.get_by_label("CSV file").set_input_files(tmp_path / "wrong.csv")
        page.get_by_role("button", name="Price the stones").click()
        page.locator("#file-error", has_text=said).wait_for()


def test_follows_the_link_to_a_models_report(visit):
    page = visit.open("/models")
    page.get_by_text("champion", exact=True).first.wait_for()
    assert page.locator("#chart .dot").count() == 1
    visit.screenshot("models")
    visit.expected = ["Content Security Policy", "Fetch API"]  # the report tries to, on purpose
    page.get_by_role("link", name="Report of").click()
    page.get_by_text("drawn by its own script").wait_for()
    page.wait_for_function("document.title !== 'Report'")
    assert page.title() == "refused"
    assert page.evaluate("origin") == "null"


def test_a_wrong_address_gets_a_page_with_a_way_on(visit):
    visit.expected = ["status of 404"]
    page = visit.open("/modles")
    visit.screenshot("not-found")
    page.get_by_role("link", name="Price a diamond").click()
    page.get_by_role("heading", name="What is this diamond worth?").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_axe_finds_no_violation(browser, open_service, width, scheme, tmp_path):
    (tmp_path / "stones.csv").write_text("carat,cut,color,clarity\n1,Ideal,H,SI2\n1,Ideal,H,?\n")
    with visiting(browser, open_service.url, width, scheme) as visit:
        visit.expected = ["status of 4"]
        page = visit.open("/?carat=9&cut=Ideal&color=H&clarity=SI2&depth=61&n=5")
        page.locator("#similar-table tbody tr:nth-child(5)").wait_for()
        page.locator("#glossary summary").click()
        assert visit.accessibility_violations() == []
        visit.screenshot(f"price-{scheme}")
        page.get_by_label("Carat").fill("x")
        page.get_by_role("button", name="Price this stone").click()
        page.locator("#carat-error:not(:empty)").wait_for()
        assert visit.accessibility_violations() == []
        visit.open("/stones")
        page.get_by_label("CSV file").set_input_files(tmp_path / "stones.csv")
        page.get_by_role("button", name="Price the stones").click()
        page.locator("#result").wait_for()
        assert visit.accessibility_violations() == []
        visit.screenshot(f"stones-{scheme}")
        visit.open("/models")
        page.locator("#chart .dot").wait_for()
        assert visit.accessibility_violations() == []
        visit.screenshot(f"models-{scheme}")
        visit.open("/nowhere")
        assert visit.accessibility_violations() == []


def test_the_page_reads_csv_by_the_same_rules_as_the_service(desk):
    alphabet, chance = 'a ,;\t"\n\r', random.Random(7)
    texts = ["".join(chance.choices(alphabet, k=chance.randrange(40))) for _ in range(2000)]
    page = desk.open("/stones")
    script = page.locator("script[type=module]").get_attribute("src").replace("stones.js", "csv.js")
    found = page.evaluate(
        """async ([script, texts]) => {
            const { records, cells } = await import(script);
            return texts.map((text) => records(text, ",").map((record) => cells(record, ",")));
        }""",
        [script, texts],
    )
    for text, rows in zip(texts, found, strict=True):
        reader = csv.reader(io.StringIO(text, newline=""))
        wanted = [row for row in reader if any(cell.strip() for cell in row)]
        assert rows == wanted, text
