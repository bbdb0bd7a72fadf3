"""The hash lock and the conda environments name the same software, and each stage finds there what it imports."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from bpstudy.provenance.environment import asked
from bpstudy.running.imports import modules_behind

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
PYPI_NAMES = {"matplotlib-base": "matplotlib"}  # conda-forge's name where it differs
PROVIDERS = packages_distributions()
STAGES = {"dft", "descriptors", "training", "figures", "paper"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    return {normal(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", LOCK, flags=re.MULTILINE)}


def pinned(environment: Path) -> dict[str, str]:
    """PyPI's name and the version of all packages of a conda environment; ValueError unless exactly pinned."""
    return {PYPI_NAMES.get(package.name, package.name): package.version for package in asked(environment)}


def test_every_package_of_the_lock_is_exact_and_hashed():
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) > 100
    for entry in entries:
        assert re.fullmatch(r"[\w.-]+==[\w.+!]+( ; [^\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+", entry), entry[:80]


def test_every_direct_dependency_is_locked_at_an_allowed_version():
    from packaging.requirements import Requirement

    lines = (line.split("#")[0].strip() for line in (ROOT / "requirements.in").read_text().splitlines())
    for requirement in map(Requirement, filter(None, lines)):
        version = locked().get(normal(requirement.name))
        assert version is not None, f"{requirement} is not in requirements.lock: make lock"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}, but locked {version}"


def test_lock_names_no_host():
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|^-i ", LOCK, flags=re.MULTILINE)


def test_there_is_one_environment_a_stage():
    assert {path.stem for path in ENVIRONMENTS} == STAGES


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda path: path.stem)
def test_environment_has_the_versions_of_the_lock(environment):
    content = yaml.safe_load(environment.read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    packages = pinned(environment)
    assert packages.pop("python").startswith("3.11.")
    packages.pop("pip", None)  # conda's own installer of what it does not have
    assert packages == {name: locked().get(name) for name in packages}


@pytest.mark.parametrize("text", ["numpy", "numpy>=2", "numpy=2.*", {"pip": ["typst>=0.15"]}, {"pip": ["typst=0.15"]}])
def test_an_environment_that_is_not_exact_is_noticed(tmp_path, text):
    loose = tmp_path / "loose.yaml"
    loose.write_text(yaml.safe_dump({"dependencies": [text]}))
    with pytest.raises(ValueError, match="not pinned exactly"):
        pinned(loose)


def imported_packages(source: Path) -> set[str]:
    """PyPI's names of what a file imports, at whatever depth, beyond the standard library and this package."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    foreign = names - set(sys.stdlib_module_names) - {"bpstudy", "snakemake"}  # Snakemake brings itself along
    return {normal(provider) for name in foreign for provider in PROVIDERS[name]}


def rules_with_environment() -> list[tuple[str, str, Path]]:
    """(rule, environment, script) of all rules that say both, or inherit what they do not say."""
    texts: dict[str, str] = {}
    found = []
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for text in re.split(r"^(?= *(?:use rule|rule|checkpoint)[ :])", file.read_text(), flags=re.MULTILINE)[1:]:
            parent, name = re.match(r" *(?:use rule (\w+) as|rule|checkpoint)[ :]\s*(\w+)", text).groups()
            texts[name] = text = text + texts.get(parent, "")  # its own words come first
            environment = re.search(r"envs/(\w+)\.yaml", text)
            script = re.search(r"scripts/([\w/{}.]+\.py)", text)
            if environment and script:
                named = re.search(r'script="(\w+)"', text)
                path = script[1].replace("{params.script}", named[1] if named else "")
                found.append((name, environment[1], ROOT / "workflow" / "scripts" / path))
    return found


def test_rules_are_seen_wherever_they_stand():
    rules = {rule: script.name for rule, _, script in rules_with_environment()}
    assert rules["train"] == rules["train_with_forces"] == "train.py"
    assert rules["properties_dft"] == "properties_dft.py"  # inside an if
    assert rules["energy_figure"] == "energy.py"  # a script in a folder
    assert rules["thermal_figure"] == "thermal.py"  # inherited, inside an if
    assert rules["name"] == "descriptors.py"  # in a loop; what follows `rule:`


def test_every_script_is_of_a_rule():
    scripts = set((ROOT / "workflow" / "scripts").rglob("*.py"))
    assert {script for _, _, script in rules_with_environment()} == scripts


@pytest.mark.parametrize(("rule", "environment", "script"), rules_with_environment())
def test_environment_of_a_rule_has_all_that_its_script_imports(rule, environment, script):
    tree = ast.parse(script.read_text())
    ours = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module and "bpstudy" in n.module}
    sources = [script, *(modules_behind(*ours) if ours else [])]
    needed = set().union(*map(imported_packages, sources))
    missing = needed - set(pinned(ROOT / "envs" / f"{environment}.yaml"))
    assert not missing, f"envs/{environment}.yaml lacks what {rule} imports: {sorted(missing)}"
