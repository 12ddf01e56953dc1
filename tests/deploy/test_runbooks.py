"""An alert leads to what to do, also under the address at which an ops team reads it."""

import re
import shutil
import subprocess
from pathlib import Path

import yaml
from tests.deploy.objects import of_kind
from tests.deploy.readme import examples
from tests.deploy.rendering import ROOT, build, copied
from tests.deploy.versions import versions

OBSERVABILITY = ROOT / "deploy" / "observability"
README = (OBSERVABILITY / "README.md").read_text()
ADDRESS = f"https://git.example.com/handoff/blob/v{versions()['handoff']}/"
ALERTS = (OBSERVABILITY / "prometheusrule.yaml").read_text().count("- alert: ")


def leads_to(text: str) -> list[str]:
    """Return where the alerts lead that some manifests, or rules, have."""
    return re.findall(r"runbook_url: (\S+)", text)


def are_under_the_address(found: list[str]) -> bool:
    """Tell whether each alert leads to a file of ours, under that address."""
    paths = [each.removeprefix(ADDRESS).partition("#")[0] for each in found]
    return all(each.startswith(ADDRESS) for each in found) and all(
        (ROOT / path).is_file() for path in paths
    )


def test_an_overlay_puts_an_address_before_them_as_the_readme_says(tmp_path: Path) -> None:
    (patched,) = [each for each in examples(README) if "replacements" in each]
    begun = {"resources": ["../small"], "components": ["../../components/monitoring"]}
    built = build(copied(tmp_path, {**begun, **patched}))
    (rule,) = of_kind([*yaml.safe_load_all(built)], "PrometheusRule")
    found = leads_to(yaml.safe_dump(rule, width=1000))

    assert len(found) == ALERTS > 0
    assert are_under_the_address(found)


def test_a_copy_of_the_rules_gets_it_as_the_readme_says(tmp_path: Path) -> None:
    rules = shutil.copytree(OBSERVABILITY / "rules", tmp_path / "rules")
    (command,) = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)  # noqa: S602  our own README's
    found = [each for path in rules.glob("*.yaml") for each in leads_to(path.read_text())]

    assert len(found) == ALERTS > 0
    assert are_under_the_address(found)
