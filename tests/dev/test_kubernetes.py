"""The manifests of docs/deploy/kubernetes.  No cluster is at hand: they are checked, not run."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from api.streaming import app as stream_app
from common.cli import make_parser
from common.settings import Settings
from dev import procfile
from dev.paths import PROCFILE, PYPROJECT, ROOT
from tests import documented

Json = dict[str, Any]
_FOLDER = ROOT / "docs" / "deploy" / "kubernetes"
# Of those who have KEDA, whose kinds are not Kubernetes' own.
_KEDA = "worker-autoscaling-keda.yaml"
_VERSIONS = ("1.31", "1.34")
_PRE_STOP_SECONDS = 5
_NAME = "app.kubernetes.io/name"
_DEFAULTS = {field.name: field.metadata["default"] for field in fields(Settings)}
# How long each takes to leave once it is told to, at most.
_LEAVING_SECONDS = {"api": 10, "stream": 2, "worker": 10, "sweeper": 15, "proxy": 10}


def _objects() -> Iterator[Json]:
    for path in sorted(_FOLDER.glob("*.yaml")):
        if path.name not in ("kustomization.yaml", "secret.yaml", _KEDA):
            yield from yaml.safe_load_all(path.read_text())


OBJECTS = list(_objects())


def of(kind: str) -> dict[str, Json]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


DEPLOYMENTS = of("Deployment")
(JOB,) = of("Job").values()
PODS = {
    **{name: each["spec"]["template"]["spec"] for name, each in DEPLOYMENTS.items()},
    "migrate": JOB["spec"]["template"]["spec"],
}
OURS = PODS.keys() - {"proxy"}


@pytest.mark.parametrize("version", _VERSIONS)
def test_every_object_is_as_kubernetes_defines_it(version: str) -> None:
    for each in OBJECTS:
        kubernetes_validate.validate(each, version, strict=True)


def test_a_mistake_would_be_found() -> None:
    spoilt = json.loads(json.dumps(DEPLOYMENTS["api"]))
    spoilt["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoilt, _VERSIONS[-1], strict=True)


def test_kustomize_takes_every_file_and_no_other() -> None:
    listed = yaml.safe_load((_FOLDER / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in _FOLDER.glob("*.yaml")}
    apart = {"kustomization.yaml", "migrate.yaml", "secret.example.yaml", _KEDA}
    assert set(listed) - {"secret.yaml"} == there - apart - {"secret.yaml"}
    assert "/docs/deploy/kubernetes/secret.yaml" in (ROOT / ".gitignore").read_text()


def test_the_release_is_named_as_it_is() -> None:
    version = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    (image,) = yaml.safe_load((_FOLDER / "kustomization.yaml").read_text())["images"]
    assert image["newTag"] == version
    assert JOB["metadata"]["name"] == f"migrate-{version}"
    (container,) = PODS["migrate"]["containers"]
    assert container["image"] == f"everturn:{version}"


def test_the_page_applies_files_and_names_objects_that_there_are() -> None:
    commands = documented.block("docs/deployment.md", "Kubernetes")
    made = {"docs/deploy/kubernetes/secret.yaml"}
    for path in set(re.findall(r"docs/deploy/kubernetes/\S*\.yaml", commands)) - made:
        assert (ROOT / path).is_file()
    namespace = of("Namespace").popitem()[0]
    assert set(re.findall(r"-n (\S+)", commands)) == {namespace}
    assert set(re.findall(r"job/(\S+)", commands)) == {JOB["metadata"]["name"]}
    assert set(re.findall(r"deploy/([a-z]+) ", commands)) <= DEPLOYMENTS.keys()
    for line in re.findall(r"-- everturn (.+)", commands):
        make_parser().parse_args(line.split())
    order = ["namespace.yaml", "secret.yaml -n", "migrate.yaml", "wait", "apply -k", "exec"]
    assert [commands.index(step) for step in order] == sorted(map(commands.index, order))


def test_they_run_what_the_procfile_has() -> None:
    commands = {tuple(PODS[name]["containers"][0]["command"]) for name in OURS}
    wanted = {process.command for process in procfile.read(PROCFILE)}
    # Flower is a window for one person; run it where that person is.
    assert commands == wanted - {("everturn", "flower")}


def test_settings_are_settings_and_fit_together() -> None:
    (config,) = (each["data"] for name, each in of("ConfigMap").items() if name == "everturn")
    (secret,) = (each["stringData"] for each in of("Secret").values())
    assert config.keys() | secret.keys() <= {name.upper() for name in _DEFAULTS}
    whole = "k1:" + "A" * 43 + "="
    settings = Settings.from_env({**config, **secret, "SECRETS_ENCRYPTION_KEY": whole})
    assert settings.auth_mode != "none"
    ports = {name: PODS[name]["containers"][0]["ports"][0]["containerPort"] for name in _PORTS}
    assert ports == {"api": settings.api_port, "stream": settings.stream_port, "proxy": 9300}
    mounts = [mount["mountPath"] for mount in PODS["api"]["containers"][0]["volumeMounts"]]
    assert settings.storage_directory in mounts


_PORTS = ("api", "stream", "proxy")


@pytest.mark.parametrize("name", sorted(PODS))
def test_pods_have_no_rights_and_no_room_to_write(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    # Else the service `api` would set API_PORT to a URL.
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["capabilities"]["drop"] == ["ALL"]
        assert set(rights["capabilities"].get("add", [])) <= {"NET_BIND_SERVICE"}
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    user = pod["securityContext"]["runAsUser"]
    assert f"USER {user}:" in (ROOT / "docs" / "deploy" / "Dockerfile").read_text()


def test_probes_ask_what_is_there() -> None:
    routes = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    for name in ("api", "stream"):
        (container,) = PODS[name]["containers"]
        served = routes if name == "api" else stream_app._HEALTH_PATHS
        for kind, path in (("liveness", "/health/live"), ("readiness", "/health/ready")):
            probe = container[f"{kind}Probe"]["httpGet"]
            assert probe == {"path": path, "port": "http"}
            assert path in served
        # A database that is away takes pods out of service; it does not restart them.
        assert container["startupProbe"]["httpGet"]["path"] == "/health/live"


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_everyone_has_the_time_to_leave(name: str) -> None:
    pod = PODS[name]
    (container,) = pod["containers"]
    before = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
    assert before in ([], ["sleep", str(_PRE_STOP_SECONDS)])
    needed = _LEAVING_SECONDS[name] + (_PRE_STOP_SECONDS if before else 0)
    assert pod["terminationGracePeriodSeconds"] > needed
    assert float(_DEFAULTS["shutdown_grace_seconds"]) == _LEAVING_SECONDS["worker"]


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_a_release_and_a_drained_node_leave_enough(name: str) -> None:
    spec = DEPLOYMENTS[name]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    scaler = of("HorizontalPodAutoscaler").get(name)
    if scaler is None:
        assert spec["replicas"] >= 2
    else:
        # A number here would be put back by every release.
        assert "replicas" not in spec
        assert scaler["spec"]["minReplicas"] >= 2
    budget = of("PodDisruptionBudget")[name]["spec"]
    assert budget["selector"] == spec["selector"]
    assert spec["selector"]["matchLabels"] == {_NAME: name}
    assert spec["template"]["metadata"]["labels"] == {_NAME: name}


def test_autoscalers_and_services_lead_to_what_there_is() -> None:
    for name, scaler in of("HorizontalPodAutoscaler").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert name in DEPLOYMENTS
    for name, service in of("Service").items():
        assert service["spec"]["selector"] == {_NAME: name}
        assert service["spec"]["ports"][0]["port"] == _port_of(name)
    assert of("Service").keys() == set(_PORTS)


def test_workers_have_one_autoscaler_whichever_it_is() -> None:
    keda = yaml.safe_load((_FOLDER / _KEDA).read_text())
    worker = of("HorizontalPodAutoscaler")["worker"]["spec"]
    assert keda["spec"]["scaleTargetRef"]["name"] == worker["scaleTargetRef"]["name"]
    assert keda["spec"]["minReplicaCount"] == worker["minReplicas"]
    # KEDA refuses what has an autoscaler, so either file is to be left out as a whole.
    beside = [
        path.name
        for path in _FOLDER.glob("*.yaml")
        for each in yaml.safe_load_all(path.read_text())
        if each["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")
        and each["spec"]["scaleTargetRef"]["name"] == "worker"
    ]
    assert sorted(beside) == ["worker-autoscaling-cpu.yaml", _KEDA]
    assert list(yaml.safe_load_all((_FOLDER / beside[0]).read_text()))[1:] == []
    listed = yaml.safe_load((_FOLDER / "kustomization.yaml").read_text())["resources"]
    assert len(set(listed) & set(beside)) == 1


def test_prometheus_reaches_what_it_is_to_scrape() -> None:
    (config,) = (each["data"] for name, each in of("ConfigMap").items() if name == "everturn")
    assert config["METRICS_HOST"] == config["BIND_HOST"]
    named = {
        name: [port["containerPort"] for port in ports if port["name"] == "metrics"]
        for name in sorted(OURS - {"migrate"})
        for ports in [PODS[name]["containers"][0]["ports"]]
    }
    assert named == {name: [int(_DEFAULTS[f"{name}_metrics_port"])] for name in named}
    rule = of("NetworkPolicy")["metrics"]["spec"]
    (reached,) = rule["podSelector"]["matchExpressions"]
    assert set(reached["values"]) == named.keys()
    (ingress,) = rule["ingress"]
    assert [[port["port"]] for port in ingress["ports"]] == sorted(named.values())


def _port_of(name: str) -> int:
    return int(PODS[name]["containers"][0]["ports"][0]["containerPort"])


def test_the_network_is_closed_but_for_what_is_needed() -> None:
    policies = of("NetworkPolicy")
    nothing = policies["nothing-else"]["spec"]
    assert (nothing["podSelector"], nothing["policyTypes"]) == ({}, ["Ingress", "Egress"])
    assert "ingress" not in nothing
    assert "egress" not in nothing
    (databases,) = policies["databases"]["spec"]["podSelector"]["matchExpressions"]
    assert set(databases["values"]) == OURS
    blocks = [to["ipBlock"] for to in policies["internet"]["spec"]["egress"][0]["to"]]
    closed = {network for block in blocks for network in block["except"]}
    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= closed


def test_the_proxy_is_the_one_of_compose() -> None:
    config = of("ConfigMap")["proxy"]["data"]["Caddyfile"]
    assert config == (Path(ROOT) / "docs" / "deploy" / "Caddyfile").read_text()
