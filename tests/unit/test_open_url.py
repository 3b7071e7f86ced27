"""An address chooses an installed adapter, and no refusal repeats its password."""

import pytest

from diamond_adapters import installed
from diamond_core import InvalidUrl, Unavailable

URL = "shop://me:secret-word@host/stones"


class Installed:
    """An entry point whose adapter is given."""

    def __init__(self, adapter):
        self.adapter = adapter

    def load(self):
        if isinstance(self.adapter, Exception):
            raise self.adapter
        return self.adapter


@pytest.fixture
def install(monkeypatch):
    def install(adapter):
        monkeypatch.setattr(installed, "find", lambda group: {"shop": Installed(adapter)})

    return install


def refusal(url):
    with pytest.raises(InvalidUrl) as caught:
        installed.open_url("a group", url)
    assert caught.value.__cause__ is None or "secret-word" not in repr(caught.value.__cause__)
    return str(caught.value)


@pytest.mark.parametrize("url", [URL, URL.replace("shop", "SHOP")])
def test_gives_the_whole_url_to_the_adapter_of_its_scheme(install, url):
    install(lambda given: [given])
    assert installed.open_url("a group", url) == [url]


@pytest.mark.parametrize("url", ["market://host", "stones", ""])
def test_names_the_schemes_that_it_knows(install, url):
    install(lambda given: given)
    assert "begins with one of shop:" in refusal(url)


def test_says_that_an_adapter_cannot_be_imported(install):
    install(ImportError("no module named shop"))
    assert "can't be loaded: no module named shop" in refusal(URL)


def test_repeats_no_password_that_an_adapter_tells(install):
    def adapter(url):
        raise ValueError(f"odd address {url}")

    install(adapter)
    assert refusal(URL) == "the adapter for 'shop' can't use this URL (ValueError)"


def test_passes_on_what_an_adapter_says_in_our_words(install):
    def adapter(url):
        raise Unavailable("the shop is closed")

    install(adapter)
    with pytest.raises(Unavailable, match="the shop is closed"):
        installed.open_url("a group", URL)
