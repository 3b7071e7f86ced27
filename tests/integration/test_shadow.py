"""A shadow beside the champion: it prices what was priced, and is compared, and tells nobody."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from dependency_injector import providers
from falcon import testing
from support import STONE, diamond, serving, until
from wired import in_memory, with_champion

from diamond_app.cli.main import cli
from diamond_app.wsgi import app_of
from diamond_core import InvalidSetting, ModelId, Profile, Unavailable
from diamond_core.models.model_card import training_range
from diamond_core.stones.fields import FIELDS
from diamond_core.testing import a_card, a_fitted_model, some_stones

ADMIN = {"X-API-Key": "long-secret"}
TRAINING = some_stones(2_000)
SHADOW = ModelId("formula-20261128-120000-5ad0ee")


@pytest.fixture
def container():
    container = with_champion(
        in_memory(api_keys="admin:long-secret"),
        profile=Profile.of(TRAINING),
        training_range=training_range(TRAINING),
    )
    settings = replace(container.settings(), shadow=SHADOW)
    container.settings.override(providers.Object(settings))
    return container


def publish(container, **changes):
    stones = some_stones(400)
    container.history().publish(a_card(id=SHADOW, **changes), a_fitted_model(stones), stones)


@pytest.fixture
def client(container):
    return testing.TestClient(app_of(container), headers=ADMIN)


def ask(client, stones):
    body = [{name: getattr(each, name) for name in list(FIELDS)[:4]} for each in stones]
    return client.simulate_post("/v1/predictions/batch", json={"diamonds": body}).json


def test_prices_each_stone_once(container, client):
    publish(container)
    answers = ask(client, some_stones(30))["predictions"]
    single = client.simulate_post("/v1/predictions", json=STONE).json
    container.watch_prices()()
    ask(client, some_stones(10, seed=2))
    for _ in range(2):
        container.watch_prices()()
    kept = list(container.shadow_log().read())
    assert len(kept) == 41
    assert {each.shadow_model_id for each in kept} == {SHADOW}
    prices = {each.id: each.price for each in kept}
    assert {each["id"]: each["price"] for each in [*answers, single]}.items() <= prices.items()
    assert all(each.shadow_price == each.price for each in kept)  # the same formula


def test_is_compared_everywhere(container, client):
    publish(container)
    champion = container.history().champion()
    answers = ask(client, some_stones(30))["predictions"]
    for each in answers[:20]:
        client.simulate_post(
            f"/v1/predictions/{each['id']}/outcome", json={"price_paid": each["price"]}
        )
    container.watch_prices()()
    for model in (champion, SHADOW):
        (shadow,) = client.simulate_get(f"/v1/models/{model}/live").json["shadows"]
        assert (shadow["model_id"], shadow["shadow_model_id"]) == (champion, SHADOW)
        assert (shadow["stones"], shadow["outcomes"], shadow["mean_change"]) == (30, 20, 0.0)
        assert "more than noise" in shadow["verdict"]
    metrics = client.simulate_get("/metrics").text
    labels = f'{{model="{champion}",shadow="{SHADOW}"}}'
    assert f"diamond_shadow_change_ratio{labels} 0.0" in metrics
    assert f"diamond_shadow_error_difference_usd{labels} 0.0" in metrics
    assert "diamond_shadow_refused 0.0" in metrics
    id = answers[0]["id"].partition("-")[0]
    recorded = client.simulate_get(f"/v1/requests/{id}/prices").json["prices"][0]
    assert recorded["shadows"] == [{"shadow_model_id": SHADOW, "shadow_price": recorded["price"]}]
    done = CliRunner().invoke(cli, ["models", "live"], obj=container)
    assert f"Shadow {SHADOW} beside {champion}, 30 stones" in done.stdout
    done = CliRunner().invoke(cli, ["models", "live", "champion", "--json"], obj=container)
    assert json.loads(done.stdout)["shadows"][0]["stones"] == 30


def test_a_shadow_that_is_missing_stops_nothing(container, client):
    ask(client, some_stones(30))
    found = container.watch_prices()()
    assert SHADOW in found.shadow_problem
    assert len(found.hours) == 1
    assert "diamond_shadow_refused 1.0" in client.simulate_get("/metrics").text
    done = CliRunner().invoke(cli, ["doctor"], obj=container)
    assert "FAIL shadow prices stones" in done.stdout
    publish(container)
    ask(client, some_stones(5, seed=3))
    assert container.watch_prices()().shadow_problem == ""


def test_nothing_is_missed_while_its_prices_can_not_be_kept(container, client):
    publish(container)
    ask(client, some_stones(30))
    container.shadow_log().failure = Unavailable("the database is away")
    with pytest.raises(Unavailable):
        container.watch_prices()()
    container.shadow_log().failure = None
    container.watch_prices()()
    assert len(list(container.shadow_log().read())) == 30


def test_what_the_shadow_priced_itself_is_left_out(container, client):
    publish(container)
    container.choose_champion().promote(SHADOW, reason="test", by="test")
    container.champion_follower().refresh()
    ask(client, some_stones(30))
    container.watch_prices()()
    assert list(container.shadow_log().read()) == []


def test_its_prices_are_kept_as_long_as_requests(container, client):
    from datetime import timedelta

    publish(container)
    settings = replace(container.settings(), keep_requests=timedelta(days=2))
    container.settings.override(providers.Object(settings))
    ask(client, some_stones(30))
    container.watch_prices()()
    now = container.clock()()
    container.clock.override(providers.Object(lambda: now + timedelta(days=3)))
    assert container.watch_prices()().shadows == ()


def test_pruning_keeps_the_shadow(container):
    publish(container)
    assert container.prune_models()(1, dry_run=True).kept[SHADOW] == "it is the shadow"


@pytest.mark.parametrize("text", ["champion", "../models", "a b"])
def test_a_setting_that_is_no_model_is_refused(text):
    from diamond_app.settings import Settings

    with pytest.raises(InvalidSetting, match="DIAMOND_SHADOW"):
        Settings.load({"DIAMOND_SHADOW": text})


@pytest.fixture(params=["sqlite", "mysql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'requests.db'}"
    return request.getfixturevalue("mysql_url")


def test_a_service_lets_its_shadow_price(trained_home, url):
    home = trained_home
    diamond(home, "train", "--family", "linear", "--seed", "7", "--force")
    settings = {"DIAMOND_DATABASE_URL": url, "DIAMOND_MONITOR_EVERY": "1s"}
    models = json.loads(diamond(home, "models", "list", "--json").stdout)
    champion = json.loads(diamond(home, "models", "show", "champion", "--json").stdout)["id"]
    shadow = next(each["id"] for each in models if each["id"] != champion)
    with serving(home, workers=2, DIAMOND_SHADOW=shadow, **settings) as service:
        for tenth in range(3, 13):
            assert service.post("/v1/predictions", STONE | {"carat": tenth / 10}).status == 200

        def compared():
            answer = service.get(f"/v1/models/{champion}/live", service.one_time_key).json
            return [each for each in answer["shadows"] if each["stones"] == 10]

        until(compared, "the shadow has priced")
        (found,) = compared()
        assert (found["model_id"], found["shadow_model_id"]) == (champion, shadow)
