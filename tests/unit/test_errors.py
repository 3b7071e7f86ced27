import inspect
import pickle

import pytest

from diamond_app.api.problems import STATUSES
from diamond_app.cli import main
from diamond_core import errors

ALL = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.DiamondError)
]


@pytest.mark.parametrize("error", ALL)
def test_has_an_http_status(error):
    assert 400 <= STATUSES[error] <= 599


@pytest.mark.parametrize("error", ALL)
def test_is_one_line_on_stderr_and_exit_code_one(error, monkeypatch, capsys):
    def fail():
        ex = error.__new__(error)
        Exception.__init__(ex, "what is wrong")
        raise ex

    monkeypatch.setattr(main, "cli", fail)
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == 1
    hint = "; run: diamond train" if error is errors.NoChampion else ""
    assert capsys.readouterr().err == f"diamond: what is wrong{hint}\n"


@pytest.mark.parametrize("error", ALL)
def test_stands_in_the_tree_of_the_module(error):
    assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("error", ALL)
def test_is_a_public_name(error):
    import diamond_core

    assert error.__name__ in diamond_core.__all__


@pytest.mark.parametrize("error", ALL)
def test_another_process_can_raise_it(error):
    ex = error.__new__(error, "what is wrong")
    ex.detail = "a fact"
    again = pickle.loads(pickle.dumps(ex))
    assert type(again) is error
    assert (str(again), again.detail) == ("what is wrong", "a fact")


def test_keeps_its_facts_in_another_process():
    again = pickle.loads(pickle.dumps(errors.SourceUnreadable("a.csv", "it is empty")))
    assert str(again) == "cannot read a.csv: it is empty"
    assert (again.source, again.detail) == ("a.csv", "it is empty")
