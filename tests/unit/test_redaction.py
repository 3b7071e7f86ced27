import pytest

from diamond_app.api.redaction import redacted_query, redacted_url


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("carat=1.1&cut=Very+Good", "carat=1.1&cut=Very+Good"),
        ("cut=Very%20Good&n=5", "cut=Very%20Good&n=5"),
        ("key=abc", "key=[redacted]"),
        ("carat=1&api_key=a=b&n=2", "carat=1&api_key=[redacted]&n=2"),
        ("ACCESS_TOKEN=abc;x=1", "ACCESS_TOKEN=[redacted];x=1"),
        ("%6b%65y=abc", "%6b%65y=[redacted]"),
        ("passw%6Frd=abc&password=def", "passw%6Frd=[redacted]&password=[redacted]"),
        ("key", "key"),
        ("key=", "key="),
        ("a=key", "a=key"),
        ("&&=&a", "&&=&a"),
        ("%zz=%&tok%65n=\xff", "%zz=%&tok%65n=[redacted]"),
    ],
)
def test_keeps_no_secret_of_a_query(query, kept):
    assert redacted_query(query) == kept


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://shop.example/stones?cut=Ideal", "https://shop.example/stones?cut=Ideal"),
        ("https://me:pass@shop.example/a@b", "https://[redacted]@shop.example/a@b"),
        ("https://shop.example/?token=t&a=1", "https://shop.example/?token=[redacted]&a=1"),
        ("nonsense", "nonsense"),
    ],
)
def test_keeps_no_secret_of_a_url(url, kept):
    assert redacted_url(url) == kept
