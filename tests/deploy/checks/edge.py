"""What lets people in leads by names that are certified to all of each API, and to nothing else."""

from collections.abc import Iterator

from tests.deploy import product
from tests.deploy.objects import Object, Objects, at, names_of, of_kind, title

_ISSUER = "cert-manager.io/cluster-issuer"
_APIS = {f"{name}-api": name for name in product.NAMES}


def routes(objects: Objects) -> Iterator[str]:
    """A route comes from a Gateway of ours, by a name of its certificate, to a Service of ours."""
    certificates = of_kind(objects, "Certificate")
    certified = {name for each in certificates for name in each["spec"]["dnsNames"]}
    for route in of_kind(objects, "HTTPRoute"):
        for parent in route["spec"]["parentRefs"]:
            if parent["name"] not in names_of(objects, "Gateway"):
                yield f"{title(route)}: there is no Gateway {parent['name']}"
        for name in set(route["spec"]["hostnames"]) - certified:
            yield f"{title(route)}: the certificate is not for {name}"
        for rule in route["spec"]["rules"]:
            yield from (f"{title(route)}: {said}" for said in _rule(rule, route, objects))


def _rule(rule: Object, route: Object, objects: Objects) -> Iterator[str]:
    ports = {
        (each["metadata"]["name"], port["port"])
        for each in of_kind(objects, "Service")
        for port in each["spec"]["ports"]
    }
    for backend in rule["backendRefs"]:
        if (backend["name"], backend.get("port")) not in ports:
            yield f"there is no Service {backend['name']} at that port"
        if _APIS.get(backend["name"]) != route["metadata"]["name"]:
            yield f"leads to {backend['name']}, which is another's"
    prefixes = tuple(each["path"]["value"] for each in rule["matches"])
    for path in product.public_paths(route["metadata"]["name"]):
        if not path.startswith(prefixes):
            yield f"does not lead to {path}"


def ingresses(objects: Objects) -> Iterator[str]:
    """An Ingress has a certificate for each of its names, and leads to all of every API."""
    for ingress in of_kind(objects, "Ingress"):
        if _ISSUER not in (at(ingress, "metadata.annotations") or {}):
            yield f"{title(ingress)}: nobody makes its certificate"
        certified = {name for each in ingress["spec"]["tls"] for name in each["hosts"]}
        rules = ingress["spec"]["rules"]
        for name in {each["host"] for each in rules} - certified:
            yield f"{title(ingress)}: the certificate is not for {name}"
        paths = [path for each in rules for path in each["http"]["paths"]]
        yield from (f"{title(ingress)}: {said}" for said in _paths(paths))


def _paths(paths: list[Object]) -> Iterator[str]:
    leading: dict[str, tuple[str, ...]] = {}
    for each in paths:
        service = each["backend"]["service"]
        if service["port"]["name"] != "http":
            yield f"{service['name']} has no API at {service['port']['name']}"
        leading[service["name"]] = (*leading.get(service["name"], ()), each["path"])
    yield from (f"{name} is no API" for name in set(leading) - set(_APIS))
    for name, service in _APIS.items():
        for path in product.public_paths(service):
            if not path.startswith(leading.get(name, ())):
                yield f"does not lead to {path} of {service}"
