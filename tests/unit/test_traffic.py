import pytest

from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_app.wsgi import app_of
from diamond_core.testing import an_exchange
from diamond_core.traffic import OTHER, ROUTES, route_of, traffic_of


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/predictions", "/v1/predictions"),
        ("/v1/models/champion", "/v1/models/champion"),
        ("/v1/models/linear-1", "/v1/models/{id}"),
        ("/v1/models/linear-1/promote", "/v1/models/{id}/promote"),
        ("/v1/models//promote", OTHER),
        ("/v1/models/", OTHER),
        ("/v1/models/a/b", OTHER),
        ("/v1/requests/stats", "/v1/requests/stats"),
        ("/v1/../etc/passwd", OTHER),
        ("", OTHER),
    ],
)
def test_collapses_ids_and_unknown_paths(path, route):
    assert route_of(path) == route


def test_knows_every_route_that_is_recorded(tmp_path):
    from falcon.inspect import inspect_app

    settings = Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path / 'requests.db'}")
    routes = inspect_app(app_of(build_container(settings))).routes
    assert {route.path for route in routes if route.path.startswith("/v1/")} == set(ROUTES)


def test_takes_percentiles_by_nearest_rank():
    exchanges = [an_exchange(path="/v1/models", duration_ms=float(n)) for n in range(1, 201)]
    (traffic,) = traffic_of(reversed(exchanges))
    assert (traffic.p50_ms, traffic.p95_ms, traffic.p99_ms) == (100.0, 190.0, 198.0)
    (alone,) = traffic_of(exchanges[:1])
    assert (alone.p50_ms, alone.p99_ms) == (1.0, 1.0)
