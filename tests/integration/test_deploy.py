"""The manifests of Kubernetes and the compose files say what the product can do, and work.

No cluster and no container engine runs here: the manifests are rendered and validated as kubectl
does it, and what the pods run is run with their environment on this machine.
"""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose
from s3 import BUCKET
from support import STONE, diamond, environment, serving, until

from diamond_app import settings
from diamond_app.settings import Settings

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
BASE, EXAMPLE = KUBERNETES / "base", KUBERNETES / "overlays" / "example"
BIN = Path(sys.executable).parent
VERSIONS = ("1.27", kubernetes_validate.latest_version())
"""The oldest Kubernetes that the documentation names, and the newest known."""
SETTINGS = {value for value in vars(settings).values() if str(value).startswith("DIAMOND_")}
KNOWN = {*SETTINGS, "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"} - {settings.ONE_TIME_KEY}
STORE_KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
STORE = {*STORE_KEYS, "AWS_REGION", "AWS_ENDPOINT_URL"}
SECRET = {settings.DATABASE_URL, settings.API_KEYS, settings.NOTIFY_URL, *STORE_KEYS}


def rendered(folder):
    """Return what ``kubectl apply -k`` would send, by kind and name."""
    command = [BIN / "kubectl", "kustomize", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr  # nothing in it is deprecated
    found = {}
    for each in yaml.safe_load_all(done.stdout):
        # the name of a generated ConfigMap ends with a hash of its content
        name = re.sub("-[0-9a-z]{10}$", "", each["metadata"]["name"])
        found[each["kind"], name] = each
    return found


@pytest.fixture(scope="module")
def base():
    return rendered(BASE)


@pytest.fixture(scope="module")
def example():
    return rendered(EXAMPLE)


@pytest.fixture(scope="module")
def secret():
    return yaml.safe_load((KUBERNETES / "secret.example.yaml").read_text(encoding="utf-8"))


def api_of(manifests):
    return manifests["StatefulSet", "diamond-core"]["spec"]["template"]


def pipeline_of(manifests):
    job = manifests["CronJob", "diamond-pipeline"]["spec"]["jobTemplate"]["spec"]
    return job["template"]


def pods(manifests):
    return [api_of(manifests), pipeline_of(manifests)]


def container_of(pod):
    [container] = pod["spec"]["containers"]
    return container


def environment_of(pod, manifests, secret):
    """Return the environment variables that the cluster would give the container of *pod*."""
    found = {}
    container = container_of(pod)
    for source in container["envFrom"]:
        config = manifests["ConfigMap", "diamond-core"]
        assert source == {"configMapRef": {"name": config["metadata"]["name"]}}
        found |= config["data"]
    for each in container["env"]:
        if "value" in each:
            found[each["name"]] = each["value"]
        else:
            reference = each["valueFrom"]["secretKeyRef"]
            assert reference["name"] == secret["metadata"]["name"]
            found[each["name"]] = secret["stringData"][reference["key"]]
    return found


@pytest.mark.parametrize("folder", [BASE, EXAMPLE], ids=["base", "example"])
def test_a_kustomization_names_each_file_of_its_folder_and_no_other(folder):
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    named = [name for name in kustomization["resources"] if name.endswith(".yaml")]
    for generator in kustomization["configMapGenerator"]:
        named += generator.get("envs", [])
    assert sorted([*named, "kustomization.yaml"]) == sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", ["base", "example"])
def test_the_rendered_manifests_are_valid(overlay, version, request):
    for manifest in request.getfixturevalue(overlay).values():
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_example_of_a_secret_is_valid(secret, version):
    kubernetes_validate.validate(secret, version, strict=True)


def misspelt(pod):
    probe = container_of(pod).pop("readinessProbe")
    container_of(pod)["readynessProbe"] = probe


def of_another_type(pod):
    pod["spec"]["terminationGracePeriodSeconds"] = "a minute"


def without_a_name(pod):
    del container_of(pod)["name"]


@pytest.mark.parametrize("damage", [misspelt, of_another_type, without_a_name])
def test_a_broken_manifest_fails_the_validation_of_make_check(damage, example, tmp_path):
    manifests = copy.deepcopy(example)
    damage(api_of(manifests))
    for name, content in (("right", example), ("broken", manifests)):
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump_all(content.values()))
        command = [BIN / "kubernetes-validate", "--strict", "--quiet", file]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, "statefulset/diamond-core" in done.stdout) == {
            "right": (0, False),
            "broken": (1, True),
        }[name], done.stdout


def test_make_check_renders_and_validates_the_example():
    checks = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncheck:")[2]
    checks = checks.partition("\n\n")[0]
    assert f"kubectl kustomize {EXAMPLE.relative_to(ROOT)} --output" in checks
    assert "kubernetes-validate --strict" in checks


@pytest.mark.parametrize("overlay", ["base", "example"])
def test_the_pods_get_settings_that_the_product_takes(overlay, request, secret):
    manifests = request.getfixturevalue(overlay)
    for pod in pods(manifests):
        environ = environment_of(pod, manifests, secret)
        assert set(environ) - KNOWN - STORE == set()
        loaded = Settings.load(environ, Path("no .env file"))
        assert urlsplit(loaded.models_url).scheme == urlsplit(loaded.data_url).scheme == "s3"
        assert urlsplit(loaded.database_url).scheme == "mysql"
    assert loaded.notify_url
    assert Settings.load(environment_of(api_of(manifests), manifests, secret)).api_keys


@pytest.mark.parametrize("overlay", ["base", "example"])
def test_secrets_are_there_by_reference_only(overlay, request, secret):
    manifests = request.getfixturevalue(overlay)
    assert {kind for kind, _ in manifests} & {"Secret"} == set()
    plain = set(manifests["ConfigMap", "diamond-core"]["data"])
    referred = set()
    for pod in pods(manifests):
        for each in container_of(pod)["env"]:
            (referred if "valueFrom" in each else plain).add(each["name"])
    assert plain & SECRET == set()
    assert referred == set(secret["stringData"]) == SECRET


def test_probes_ask_addresses_of_the_product_where_the_image_listens(example, service):
    paths = service.get("/openapi.json").json["paths"]
    api = container_of(api_of(example))
    probes = {name: api[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
    assert all("get" in paths[probe["path"]] for probe in probes.values())
    assert probes["readiness"]["path"] == "/readyz"
    assert probes["liveness"]["path"] == "/livez"  # a pod without a model needs no restart
    [port] = api["ports"]
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"EXPOSE {port['containerPort']}\n" in dockerfile
    assert f'"serve", "--bind", "0.0.0.0:{port["containerPort"]}"]' in dockerfile
    for name in ("diamond-core", "diamond-core-pods"):
        [exposed] = example["Service", name]["spec"]["ports"]
        assert exposed["targetPort"] == port["name"]


def test_every_pod_is_confined(example):
    for pod in pods(example):
        spec, container = pod["spec"], container_of(pod)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
        assert spec["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"requests", "limits"}
        user = spec["securityContext"]["runAsUser"]
        dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        assert f"--home-dir /var/lib/diamond-core --uid {user} " in dockerfile
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts == {"home": "/var/lib/diamond-core", "tmp": "/tmp"}  # where it may write


def test_the_home_of_a_pod_outlives_it(example):
    spec = example["StatefulSet", "diamond-core"]["spec"]
    assert [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]] == ["home"]
    assert set(spec["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    assert spec["serviceName"] == "diamond-core-pods"
    assert "replicas" not in spec  # else each apply would undo what the autoscaler did
    assert example["Service", "diamond-core-pods"]["spec"]["clusterIP"] == "None"
    volumes = {volume["name"]: volume for volume in pipeline_of(example)["spec"]["volumes"]}
    claim = volumes["home"]["persistentVolumeClaim"]["claimName"]
    assert ("PersistentVolumeClaim", claim) in example


def test_a_pod_has_the_time_to_stop_that_gunicorn_and_the_spool_take(example):
    pod = api_of(example)
    _, pause = container_of(pod)["lifecycle"]["preStop"]["exec"]["command"]
    source = ROOT / "src/entrypoints/diamond_app/gunicorn_conf.py"
    graceful = re.search(r"^graceful_timeout = (\d+)$", source.read_text("utf-8"), re.MULTILINE)
    needed = int(pause) + int(graceful[1]) + 4  # 3 s for the spool, 1 s for the shipper
    assert needed < pod["spec"]["terminationGracePeriodSeconds"]


def test_services_budget_and_autoscaler_mean_the_pods_of_the_api(example):
    labels = api_of(example)["metadata"]["labels"]
    for name in ("diamond-core", "diamond-core-pods"):
        assert example["Service", name]["spec"]["selector"] == labels
    budget = example["PodDisruptionBudget", "diamond-core"]["spec"]
    assert budget["selector"]["matchLabels"] == labels
    assert pipeline_of(example)["metadata"]["labels"] != labels
    target = example["HorizontalPodAutoscaler", "diamond-core"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) in example
    backend = example["Ingress", "diamond-core"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend["service"] == {"name": "diamond-core", "port": {"name": "http"}}


def test_one_run_of_the_pipeline_at_a_time(example):
    assert example["CronJob", "diamond-pipeline"]["spec"]["concurrencyPolicy"] == "Forbid"


def test_the_example_changes_images_bucket_and_size(base, example):
    images = [container_of(pod)["image"] for pod in pods(example)]
    assert [image.rpartition("/")[0] for image in images] == ["registry.example"] * 2
    assert [container_of(pod)["image"] for pod in pods(base)] == [
        image.rpartition("/")[2].partition(":")[0] for image in images
    ]
    assert {each["metadata"]["namespace"] for each in example.values()} == {"diamonds"}
    config = example["ConfigMap", "diamond-core"]["data"]
    assert config["DIAMOND_MODELS_URL"].startswith("s3://example-diamonds/")
    assert container_of(pipeline_of(example))["args"] == ["bundled"]


def test_what_the_pods_run_trains_into_the_bucket_and_serves_from_it(
    example, secret, own_s3, mysql_url, small_csv, tmp_path
):
    here = own_s3.environment | {
        "DIAMOND_DATABASE_URL": mysql_url,
        "DIAMOND_MODELS_URL": f"s3://{BUCKET}/models",
        "DIAMOND_DATA_URL": f"s3://{BUCKET}/data",
        "PATH": f"{BIN}:/usr/bin:/bin",
    }
    api = container_of(api_of(example))
    served = environment_of(api_of(example), example, secret) | here
    key = {"X-API-Key": served["DIAMOND_API_KEYS"].partition(":")[2]}
    workers = int(served.pop("WEB_CONCURRENCY"))
    for folder in ("api", "pipeline"):
        (tmp_path / folder).mkdir()
    with serving(tmp_path / "api" / "home", workers, **served) as service:

        def answers(probe):
            return service.get(api[f"{probe}Probe"]["httpGet"]["path"]).status

        assert [answers(probe) for probe in ("startup", "liveness", "readiness")] == [200, 200, 503]
        pipeline = container_of(pipeline_of(example))
        trained = environment_of(pipeline_of(example), example, secret) | here
        del trained["DIAMOND_NOTIFY_URL"]  # another host
        done = subprocess.run(
            [*pipeline["command"], "--family", "linear", "--trials", "0", small_csv],
            env=environment(tmp_path / "pipeline" / "home", **trained),
            cwd=tmp_path / "pipeline",
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        until(lambda: answers("readiness") == 200, "the pod follows the new champion")
        assert service.post("/v1/predictions", STONE, key).json["price"] > 0


@pytest.mark.parametrize(("code", "job"), [(0, 0), (1, 1), (3, 0)])
def test_a_held_delivery_does_not_fail_the_job(example, tmp_path, code, job):
    program = tmp_path / "diamond"
    program.write_text(f'#!/bin/sh\necho "$#" "$@" >> {tmp_path}/called\nexit {code}\n')
    program.chmod(0o755)
    command = [*container_of(pipeline_of(example))["command"], "s3://a b", "c"]
    done = subprocess.run(command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)
    assert done.returncode == job
    assert (tmp_path / "called").read_text() == "4 pipeline run s3://a b c\n"


COMPOSE = {name: ROOT / name for name in ("compose.yaml", "compose.s3.yaml")}


def composed(*names):
    """Return the services, and the names of the volumes, of compose files laid over each other."""
    services, volumes = {}, set()
    for name in names:
        text = COMPOSE[name].read_text(encoding="utf-8")
        PyCompose.from_yaml(text)
        content = yaml.safe_load(text)
        volumes |= set(content.get("volumes") or {})
        for service, said in content["services"].items():
            merged = services.setdefault(service, {"environment": {}})
            variables = merged["environment"] | said.get("environment", {})
            merged |= said | {"environment": variables}
    return services, volumes


@pytest.mark.parametrize("names", [["compose.yaml"], ["compose.yaml", "compose.s3.yaml"]], ids=len)
def test_compose_gives_the_product_settings_that_it_takes(names):
    services, volumes = composed(*names)
    for name in ("service", "train"):
        environ = services[name]["environment"]
        assert set(environ) - KNOWN - STORE == set()
        given = {key: re.sub(r"\$\{[^}]*\}", "a-secret", text) for key, text in environ.items()}
        if "DIAMOND_API_KEYS" in given:
            given["DIAMOND_API_KEYS"] = "admin:a-secret"
        loaded = Settings.load(given, Path("no .env file"))
        kept = "s3" if len(names) == 2 else "file"
        assert urlsplit(loaded.models_url).scheme == urlsplit(loaded.data_url).scheme == kept
        assert {urlsplit(url).hostname for key, url in given.items() if key.endswith("_URL")} <= {
            *services,
            BUCKET,
        }
    for service in services.values():
        used = {mount.partition(":")[0] for mount in service.get("volumes", [])}
        assert used <= volumes


def test_compose_keeps_no_secret():
    for path in COMPOSE.values():
        for service in yaml.safe_load(path.read_text(encoding="utf-8"))["services"].values():
            for name, value in service.get("environment", {}).items():
                if name in SECRET or "PASSWORD" in name:
                    assert "${" in value, name


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("restart:", "restrat:"),
        ("unless-stopped", "sometimes"),
        ("volumes: [store:/data]", "volumes: 3"),
    ],
)
def test_a_broken_compose_file_fails_the_validation(right, wrong):
    text = COMPOSE["compose.s3.yaml"].read_text(encoding="utf-8")
    PyCompose.from_yaml(text)
    with pytest.raises(ValueError, match=r"services\.store"):
        PyCompose.from_yaml(text.replace(right, wrong))


def test_the_images_have_what_the_settings_need():
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installed = dict(
        re.findall(r"^FROM \S+ AS (build\S*)$[^\0]*?'\.\[([\w,]+)\]'", dockerfile, re.MULTILINE)
    )
    assert installed == {"build": "s3", "build-train": "train,s3"}
    assert "    ORT_DISABLE_TELEMETRY=1\n" in dockerfile
    assert "COPY --from=build-train /opt/diamond" in dockerfile.partition(" AS train\n")[2]


def test_the_how_to_runs_commands_of_the_product(tmp_path):
    text = (ROOT / "docs/how-to/run-on-kubernetes.md").read_text(encoding="utf-8")
    commands = re.findall(r" -- diamond ([a-z]+(?: [a-z]+)?)", text)
    assert len(commands) >= 4
    for command in commands:
        diamond(tmp_path / "home", *command.split(), "--help")
