"""What tests of reports share."""

from __future__ import annotations

import json
from html.parser import HTMLParser

EVIL = "</style></script><script>alert(1)</script><!--\"'><img src=x onerror=alert(1)>"
_VOID = {"meta", "br"}


class Page(HTMLParser):
    """Notes tags, texts, addresses and charts, and checks that what is opened is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.addresses, self.text = [], [], [], ""
        self.scripts = []
        self.feed(page.decode())
        assert self.open == []
        *charts, self.program = self.scripts
        self.charts = [json.loads(each) for each in charts]

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [
            value for name, value in attrs if name in ("src", "href", "action", "style")
        ]
        self.addresses += [name for name, _ in attrs if name.startswith("on")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        else:
            self.text += data + " "

    def chart(self, label):
        (found,) = [each for each in self.charts if label in each["label"]]
        return found
