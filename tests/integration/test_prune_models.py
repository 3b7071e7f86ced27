"""``diamond models prune`` in a real home, also while it is served."""

from __future__ import annotations

import json

import pytest
from support import STONE, diamond, serving

from diamond_adapters.models.filesystem_model_repository import FilesystemModelRepository
from diamond_core import ModelId

SIMILAR = "/v1/similar?carat=1.1&cut=ideal&color=h&clarity=si2&n=3"


def train(home, csv, seed):
    run = diamond(
        *(home, "train", str(csv), "--family", "linear", "--trials", "0"),
        *("--seed", str(seed), "--json"),
    )
    return json.loads(run.stdout)["models"][0]


def size_of(home):
    return sum(
        path.stat().st_size
        for name in ("models", "samples")
        for path in (home / name).rglob("*")
        if path.is_file()
    )


def prune(home, *options):
    return json.loads(diamond(home, "models", "prune", *options, "--json").stdout)


def samples_in(home):
    return sorted(path.stem for path in (home / "samples").iterdir())


@pytest.fixture
def four_models(trained_home, small_csv, sample_csv):
    """A home with the champion and a model of the same data, then two of other data."""
    (champion,) = json.loads(diamond(trained_home, "models", "list", "--json").stdout)
    second = train(trained_home, sample_csv, 1)
    others = [train(trained_home, small_csv, seed) for seed in (0, 1)]
    return trained_home, champion, second, others


def test_prunes_old_models_and_their_samples(four_models, small_csv):
    home, champion, second, others = four_models
    assert champion["samples"] == second["samples"]
    assert others[0]["samples"] == others[1]["samples"]
    assert samples_in(home) == sorted({champion["samples"], others[0]["samples"]})
    assert "(used by 2 models)" in diamond(home, "models", "show", "champion").stdout
    before = size_of(home)

    tried = prune(home, "--keep", "1", "--dry-run")
    assert size_of(home) == before
    shown = diamond(home, "models", "prune", "--keep", "1", "--dry-run").stdout
    assert "it is the champion" in shown
    assert "would be removed" in shown
    assert "Would remove 2 models and free 2.3 MB." in shown

    with serving(home) as service:
        done = prune(home, "--keep", "1")
        assert done == tried | {"dry_run": False}
        assert done == {
            "removed": [others[0]["id"], second["id"]],
            "kept": [
                {"id": others[1]["id"], "why": "it is one of the newest"},
                {"id": champion["id"], "why": "it is the champion"},
            ],
            "freed_bytes": before - size_of(home),
            "dry_run": False,
        }
        assert service.post("/v1/predictions", STONE).json["model"]["id"] == champion["id"]
        assert service.get(SIMILAR).json["count"] == 3
        assert {each["id"] for each in service.get("/v1/models").json["models"]} == {
            *(champion["id"], others[1]["id"])
        }
        assert service.get("/readyz").json["status"] == "ok"
    assert samples_in(home) == sorted({champion["samples"], others[1]["samples"]})
    assert sorted(path.name for path in (home / "models").iterdir()) == sorted(
        [champion["id"], others[1]["id"]]
    )

    # The champion is the only model of its data now; of the other data, another is trained.
    newest = train(home, small_csv, 2)
    diamond(home, "models", "promote", newest["id"], "--reason", "a test")
    diamond(home, "models", "promote", others[1]["id"], "--reason", "a test")
    assert prune(home, "--keep", "1")["removed"] == [champion["id"]]
    assert samples_in(home) == [newest["samples"]]
    assert diamond(home, "doctor").returncode == 0


def test_a_service_goes_on_with_the_files_that_it_has_mapped(trained_home):
    (card,) = json.loads(diamond(trained_home, "models", "list", "--json").stdout)
    with serving(trained_home) as service:
        before = service.get(SIMILAR).json
        repository = FilesystemModelRepository(trained_home)
        repository.remove(ModelId(card["id"]))
        repository.remove_shared(card["samples"])
        for _ in range(3):
            assert service.get(SIMILAR).json == before
            assert service.post("/v1/predictions", STONE).json["model"]["id"] == card["id"]


def test_names_samples_that_are_lost(four_models):
    home, champion, second, others = four_models
    path = home / "samples" / f"{champion['samples']}.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for told in ("were changed (SHA-256 differs)", "are missing"):
        done = diamond(home, "doctor", "--json", check=False)
        problems = {each["check"]: each["problem"] for each in json.loads(done.stdout)}
        for each in (champion, second):
            assert (
                f"{each['id']!r}: its samples {each['samples']} {told}"
                in (problems["all models are undamaged"])
            )
        assert others[0]["id"] not in problems["all models are undamaged"]
        assert told in problems["champion prices stones"]
        path.unlink(missing_ok=True)


def test_prunes_nothing_where_there_is_nothing(tmp_path):
    done = prune(tmp_path / "home", "--keep", "3", "--dry-run")
    assert done == {"removed": [], "kept": [], "freed_bytes": 0, "dry_run": True}
    assert not (tmp_path / "home").exists()
    told = diamond(tmp_path / "home", "models", "prune", "--keep", "3").stdout
    assert told == "Removed 0 models and freed 0.0 MB.\n"


@pytest.mark.parametrize("options", [(), ("--keep", "0"), ("--keep", "-1"), ("--keep", "x")])
def test_refuses_to_prune_without_a_number_of_models_to_keep(trained_home, options):
    done = diamond(trained_home, "models", "prune", *options, check=False)
    assert done.returncode == 2
    assert "--keep" in done.stderr
