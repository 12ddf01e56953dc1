"""The same for what deploy/platform.md has people type: what others do before, and what is seen."""

import shutil

import yaml
from tests.deploy.apiserver.cluster import NAMESPACE, written
from tests.deploy.apiserver.seen import APPLY, OVERLAY, all_is_up, expected, read
from tests.deploy.apiserver.typist import FORMER, NODE, Typist
from tests.deploy.objects import Object, title
from tests.deploy.readme import PLATFORM, examples
from tests.deploy.supplied import by_script
from tests.deploy.versions import versions

HELD, MINOR, MAJOR, LOST, _AT_A_MOMENT = examples(PLATFORM)
_COME_UP_WITHIN = 60.0
_GONE = "no-longer-needed"


def _clusters(typist: Typist) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in read(typist, "clusters")}


def _wants(typist: Typist, change: Object, resource: str = "../small") -> None:
    """Write an overlay with a change upon what runs."""
    bare = {**OVERLAY, "resources": [resource], "components": [], "patches": []}
    typist.wants({**bare, **change})


def _runs(typist: Typist, resource: str) -> None:
    _wants(typist, {}, resource)
    assert typist.run(APPLY).returncode == 0


def small_runs(typist: Typist) -> None:
    """There is something to stand on it."""
    _runs(typist, "../small")
    all_is_up(typist)


def the_node_is_back(typist: Typist) -> None:
    """All runs, and the node takes pods again."""
    all_is_up(typist)

    unschedulable = "jsonpath={.spec.unschedulable}"
    assert typist.cluster.do("get", "node", NODE, f"--output={unschedulable}") == ""


def held(typist: Typist) -> None:
    """The overlay holds what the example says, here at what no release of ours has."""
    (patch,) = HELD["patches"]
    _wants(typist, {"patches": [{**patch, "patch": patch["patch"].replace("4.3-", "4.2-")}]})


def the_metadata_is_held(typist: Typist) -> None:
    """Kafka stays with it, and nothing else has changed."""
    (kafka,) = read(typist, "kafkas")

    assert kafka["spec"]["kafka"]["metadataVersion"].startswith("4.2-")
    assert kafka["spec"]["kafka"]["version"] == versions()["kafka"]["version"]
    all_is_up(typist)


def another_image(typist: Typist) -> None:
    """The overlay has the example, with a version that is not ours."""
    (patch,) = MINOR["patches"]
    _wants(typist, {"patches": [{**patch, "patch": patch["patch"].replace(":18.", ":18.9")}]})


def all_have_the_image(typist: Typist) -> None:
    """Each cluster asks for it."""
    images = {each["spec"]["imageName"] for each in _clusters(typist).values()}

    assert [image.partition(":18.9")[1] for image in images] == [":18.9"]


def a_former_release(typist: Typist) -> None:
    """It had one object more, which is still there."""
    former = shutil.copytree(typist.checkout / "deploy", typist.checkout / FORMER / "deploy")
    there = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _GONE, "namespace": NAMESPACE},
    }
    overlay = former / "kubernetes" / "overlays" / "ours"
    (overlay / "gone.yaml").write_text(written([there]))
    wanted = yaml.safe_load((overlay / "kustomization.yaml").read_text())
    wanted["resources"].append("gone.yaml")
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(wanted))
    assert typist.cluster.apply(written([there])).returncode == 0


def it_is_named(typist: Typist) -> None:
    """That one, alone; and that it stays where one would think it goes is so."""
    assert typist.printed[-1] == f"configmap/{_GONE}\n"

    prune = "--prune -l app.kubernetes.io/part-of=handoff"
    typist.cluster.do("label", "-n", NAMESPACE, f"configmap/{_GONE}",
                      "app.kubernetes.io/part-of=handoff")  # fmt: skip
    pruned = typist.run(f"{APPLY} --force-conflicts {prune}")
    assert _GONE not in pruned.stdout
    assert typist.cluster.do("get", "-n", NAMESPACE, "configmap", _GONE)


def another_major(typist: Typist) -> None:
    """The overlay has the example, and what it changes runs."""
    _runs(typist, "../production")
    _wants(typist, MAJOR, "../production")


def one_is_another_major(typist: Typist) -> None:
    """That cluster alone, with a name of its own for what is saved; and all processes run."""
    clusters = _clusters(typist)
    upgraded = clusters.pop("notifier-postgres")
    (plugin,) = upgraded["spec"]["plugins"]

    assert ":19." in upgraded["spec"]["imageName"]
    assert plugin["parameters"]["serverName"] == "notifier-postgres-19"
    assert not any(":19." in each["spec"]["imageName"] for each in clusters.values())
    wanted = {*map(title, expected("production"))}
    assert typist.cluster.left_undone(wanted, _COME_UP_WITHIN) == []


def it_is_lost(typist: Typist) -> None:
    """A new cluster has the Secrets of before, and the overlay the example."""
    typist.cluster.do("create", "namespace", NAMESPACE)
    secrets = written(list(by_script("small")))
    typist.cluster.do("create", "-n", NAMESPACE, "--filename=-", told=secrets)
    _wants(typist, LOST)


def all_is_from_what_was_saved(typist: Typist) -> None:
    """The one Postgres, beside the Kafka that knows nothing; and all processes run."""
    (restored,) = _clusters(typist).values()

    assert [*restored["spec"]["bootstrap"]] == ["recovery"]
    all_is_up(typist)
