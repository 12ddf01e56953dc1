"""What is seen in a cluster after something was typed there, and what others do before."""

import json
from base64 import b64decode
from urllib.parse import urlsplit

import yaml
from tests.deploy.apiserver.cluster import NAMESPACE, written
from tests.deploy.apiserver.typist import Typist
from tests.deploy.objects import WORKLOADS, Object, Objects, at, of_kind, title, walk
from tests.deploy.pinned import PINNED, component
from tests.deploy.readme import examples
from tests.deploy.rendering import INSTALLATIONS, objects_of
from tests.deploy.supplied import by_script

OVERLAY, RESTORED = examples()
APPLY = "kubectl apply --server-side -k deploy/kubernetes/overlays/ours"
_COME_UP_WITHIN = 60.0
_PLACES, _DOORS = "namespaceSelector.matchLabels.", ".handoff-"


def read(typist: Typist, *what: str) -> list[Object]:
    """Return objects of the namespace as they stand."""
    told = typist.cluster.do("get", *what, "-n", NAMESPACE, "--output=json")
    found: list[Object] = json.loads(told)["items"]
    return found


def images(typist: Typist) -> dict[str, str]:
    """Return which image each workload of the notifier runs."""
    return {
        title(each): each["spec"]["template"]["spec"]["containers"][0]["image"]
        for each in typist.cluster.workloads()
        if each["metadata"]["name"].startswith("notifier-")
    }


def secrets_are_there(typist: Typist) -> None:
    """Those that the script makes."""
    names = {each["metadata"]["name"] for each in read(typist, "secrets")}

    assert names == {each["metadata"]["name"] for each in by_script("small")}


def migrations_are_done_and_nothing_runs(typist: Typist) -> None:
    """The Jobs have ended, and no process of ours was begun."""
    jobs = {title(each) for each in typist.cluster.workloads()}

    assert jobs == {title(each) for each in expected() if each["kind"] == "Job"}
    assert typist.cluster.left_undone(jobs, 0) == []


def expected(name: str = "small") -> list[Object]:
    """Return the workloads of an overlay."""
    overlay = next(each for each in INSTALLATIONS if each.name == name)
    return of_kind(objects_of(overlay), *WORKLOADS)


def copies(workloads: Objects) -> dict[str, int | None]:
    """Return how many there are to be of each."""
    return {title(each): each["spec"].get("replicas") for each in workloads}


def all_is_up(typist: Typist) -> None:
    """Every workload has rolled out, and every Job has run to its end."""
    assert typist.cluster.left_undone({*map(title, expected())}, _COME_UP_WITHIN) == []


def a_release_with_digests(typist: Typist) -> None:
    """What a release says of its images is in the overlay, in place of its own list."""
    place = typist.overlay / "images"
    place.mkdir(exist_ok=True)
    (place / "kustomization.yaml").write_text(component())
    wanted = yaml.safe_load((typist.overlay / "kustomization.yaml").read_text())
    components = ["images", *wanted["components"]]
    typist.wants({**wanted, "components": components, "images": []})


def all_is_up_and_pinned(typist: Typist) -> None:
    """And those whose digest was set run that image."""
    all_is_up(typist)

    assert len(images(typist)) >= 3
    assert all(image.endswith(f"@{PINNED}") for image in images(typist).values())


def all_is_up_and_as_before(typist: Typist) -> None:
    """And none of them runs the image whose digest was set."""
    all_is_up(typist)

    assert len(images(typist)) >= 3
    assert not any(PINNED in image for image in images(typist).values())


def every_way_has_a_namespace(typist: Typist) -> None:
    """What a policy of ours opens a way to, or from, is there."""
    policies = read(typist, "networkpolicies")
    places = (found for each in policies for found in walk(each["spec"]) if _PLACES in found[0])
    labels = {f"{path.rpartition('.')[2]}={value}" for path, value in places if _DOORS in path}

    assert len(labels) == 2
    for label in labels:
        assert typist.cluster.do("get", "namespaces", "--output=name", f"--selector={label}")


def a_kafka_user_and_secrets_without_a_label(typist: Typist) -> None:
    """What Strimzi has made, and what an older script would have left out."""
    typist.cluster.do("create", "-n", NAMESPACE, "secret", "generic", "lead-scoring")
    typist.cluster.do("label", "-n", NAMESPACE, "secret", "--all", "cnpg.io/reload-")


def the_password_is_another(typist: Typist) -> None:
    """In both places where it stands; Strimzi is to make its own, and the operator sees all."""
    secrets = {each["metadata"]["name"]: each for each in read(typist, "secrets")}
    changed = secrets["lead-scoring-database"]["data"]
    said = {key: b64decode(value).decode() for key, value in changed.items()}
    watched = {name for name, each in secrets.items() if at(each, "metadata.labels")}

    assert {said["password"], urlsplit(said["uri"]).password} == {"NEW"}
    assert "lead-scoring" not in secrets
    assert watched == {name for name in secrets if name.endswith("-database")} | {"postgres-ca"}


def no_migration_is_left(typist: Typist) -> None:
    """All Jobs are gone, and nothing else."""
    kinds = {each["kind"] for each in typist.cluster.workloads()}

    assert kinds == {"Deployment", "StatefulSet"}


def one_goes_back_and_comes_again_by_force(typist: Typist) -> None:
    """The others stay; and what is said of the next `apply` is so."""
    back = {name for name, image in images(typist).items() if PINNED not in image}
    refused = typist.run(APPLY)
    forced = typist.run(f"{APPLY} --force-conflicts")

    assert back == {"StatefulSet/notifier-worker"}
    assert "conflict" in refused.stderr
    assert forced.returncode == 0
    all_is_up_and_pinned(typist)


def the_former_release(typist: Typist) -> None:
    """The checkout is that of the release before."""
    typist.wants(OVERLAY)


def nothing_is_left(typist: Typist) -> None:
    """The namespace is gone, and with it all that was in it."""
    assert NAMESPACE not in typist.cluster.do("get", "namespaces", "--output=name")


def production_runs_and_keda_scales_it(typist: Typist) -> None:
    """There is something to be restored, and the patches stand in the overlay."""
    typist.wants({**OVERLAY, "resources": ["../production"], "components": [], "patches": []})
    assert typist.run(APPLY).returncode == 0
    scaled = next(each for each in INSTALLATIONS if each.name == "production, keda")
    (scaler,) = [each for each in of_kind(objects_of(scaled), "ScaledObject")
                 if each["metadata"]["name"] == "notifier-worker"]  # fmt: skip
    assert typist.cluster.apply(written([scaler])).returncode == 0
    typist.wants({**OVERLAY, "resources": ["../production"], "components": [], **RESTORED})


def it_was_restored_and_all_run_again(typist: Typist) -> None:
    """The database is a new one, of what was saved; there are as many processes as before."""
    clusters = {each["metadata"]["name"]: each for each in read(typist, "clusters")}
    restored = clusters["notifier-postgres"]
    wanted = copies(expected("production"))
    (scaler,) = read(typist, "scaledobjects")

    assert restored["metadata"]["generation"] == 1
    assert [*restored["spec"]["bootstrap"]] == ["recovery"]
    assert typist.cluster.left_undone(set(wanted), _COME_UP_WITHIN) == []
    assert copies(typist.cluster.workloads()) == wanted
    assert "paused" not in str(scaler["metadata"]["annotations"])


def local_is_up(typist: Typist) -> None:
    """Also what `local` has instead of operators."""
    assert typist.cluster.left_undone({*map(title, expected("local"))}, _COME_UP_WITHIN) == []
