"""The structure: imports point down, importing is light, the project's files agree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dreamkit as dk

ROOT = Path(__file__).parent.parent
PACKAGE = Path(dk.__file__).parent


SIDES = {"ascent", "networks"}  # of the seam: neither may know the other


def rooms() -> dict[str, tuple[int, int]]:
    """room: (floor, row) from the table of dreamkit/README.md; the last row is the lowest."""
    found = {}
    for row, line in enumerate((PACKAGE / "README.md").read_text(encoding="utf-8").splitlines()):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0].isdigit():
            for name in re.findall(r"`([\w]+)`", cells[1]):
                found[name] = (int(cells[0]), row)
    return found


def imported(path: Path, package: Path = PACKAGE) -> set[tuple[str, ...]]:
    """The modules of dreamkit that the module at `path` imports, inside functions too.

    For example ("pictures", "image"), and () for the map.
    """
    relative = path.relative_to(package)
    here = ("dreamkit", *relative.parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            full = (*base, *filter(None, (node.module or "").split(".")))
            targets = [(*full, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            targets = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        found |= {target[1:] for target in targets if target[0] == "dreamkit"}
    return {
        target
        if package.joinpath(*target).with_suffix(".py").is_file()
        or package.joinpath(*target).is_dir()
        else target[:-1]
        for target in found
    }


def problems(package: Path = PACKAGE) -> list[str]:
    """Every import of the package that the table does not allow."""
    table, wrong = rooms(), []
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        if room in ("__init__", "__main__"):
            continue
        if room not in table:
            wrong.append(f"{room} has no row in dreamkit/README.md")
            continue
        for target in imported(path, package):
            other = target[0] if target else ""
            if other == room:
                continue
            if not other:  # the map is for those who use the package
                wrong += [f"{path.name} imports the package's map"] if table[room][0] < 4 else []
            elif other not in table:
                wrong.append(f"{path.name} imports {other}, which has no row in dreamkit/README.md")
            elif {room, other} == SIDES:
                wrong.append(f"{room}/{path.name} imports {other}: the seam")
            elif (-table[other][0], table[other][1]) < (-table[room][0], table[room][1]):
                wrong.append(f"{room}/{path.name} imports {other}, which does not lie below it")
    return wrong


def test_imports_point_down_and_the_seam_holds():
    assert not problems()


def test_a_wrong_import_is_seen(tmp_path):
    house = tmp_path / "dreamkit"
    for room, line in (
        ("ascent", "def f():\n    from ..networks.network import Network"),
        ("networks", "from .. import ascent"),
        ("pictures", "import dreamkit.ascent.steps"),
        ("inside", "import dreamkit as dk"),
    ):
        (house / room).mkdir(parents=True)
        (house / room / "bad.py").write_text(line)
    (house / "networks" / "network.py").write_text("")
    (house / "ascent" / "steps.py").write_text("")
    assert len(problems(house)) == 4


def test_no_room_imports_in_a_circle():
    """Modules import each other without circles, imports inside functions aside."""
    graph = {}
    for path in MODULES:
        name = path.relative_to(PACKAGE).with_suffix("").parts
        graph[name[:-1] if name[-1] == "__init__" else name] = {t for t in imported(path) if t}
    done, open_ = set(), []

    def visit(module):
        assert module not in open_, " -> ".join(
            "/".join(m) for m in (*open_[open_.index(module) :], module)
        )
        if module in done or module not in graph:
            return
        open_.append(module)
        for other in sorted(graph[module]):
            if (
                other != module[: len(other)]
            ):  # a module of a room may import a sibling by the room's name
                visit(other)
        done.add(open_.pop())

    for module in sorted(graph):
        visit(module)


def test_no_two_modules_of_one_name():
    names = [path.stem for path in MODULES if path.stem not in ("__init__", "__main__")]
    assert sorted(names) == sorted(set(names))


def test_no_module_is_longer_than_250_lines():
    long = {p.name: n for p in MODULES if (n := len(p.read_text("utf-8").splitlines())) > 250}
    assert not long


MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")
PUBLIC_MODULES = dk._MODULES
BY_NEED = tuple(
    f"dreamkit.{name}"
    for name in (
        "ascent",
        "networks",
        "objectives",
        "pictures",
        *dk._MODULES.values(),
        "passport",
        "cli",
    )
)


def loaded_by(*statements: str) -> list[set[str]]:
    """The heavy packages that are there after each statement, all in one fresh process."""
    heavy = (
        "matplotlib",
        "ipywidgets",
        "onnxruntime",
        "onnx",
        "IPython",
        "jupyterlab",
        "notebook",
        "torchvision",
        "sklearn",
        "skimage",
        "captum",
        "typer",
        "dask",
        "cv2",
        "av",
        "PIL",
        "scipy",
        "timm",
        "safetensors",
        "torch",
        "numpy",
        *BY_NEED,
    )
    look = f"print(*[name for name in {heavy} if name in sys.modules])"
    code = "\n".join(
        ["import sys", *(line for statement in statements for line in (statement, look))]
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    return [set(line.split()) for line in out.splitlines()]


def test_importing_dreamkit_is_light_and_the_check_can_fail():
    light, rooms, heavy = loaded_by("import dreamkit", "import dreamkit.cli", "import numpy")
    assert light == set()
    assert rooms == {"dreamkit.cli"}  # a room is loaded when it is asked for
    assert heavy == {"dreamkit.cli", "numpy"}


def test_the_map_names_what_there_is():
    for name in dk.__all__:
        if name not in PUBLIC_MODULES:
            assert getattr(dk, name).__doc__ is not None or name in ("Image", "Score"), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        dk.nothing  # noqa: B018
    assert set(dk.__all__) <= set(dir(dk))


def test_public_functions_have_annotations_and_examples_or_reasons():
    import inspect

    for name in dk.__all__:
        thing = getattr(dk, name) if name not in PUBLIC_MODULES else None
        if inspect.isfunction(thing):
            signature = inspect.signature(thing)
            assert signature.return_annotation is not signature.empty, name
            assert all(p.annotation is not p.empty for p in signature.parameters.values()), name


def test_environment_yml_agrees_with_pyproject():
    yaml = pytest.importorskip("yaml")
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 brings tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == project["name"] and environment["channels"] == ["conda-forge"]
    conda = {re.split(r"[<>=]", d)[0]: d for d in environment["dependencies"] if isinstance(d, str)}
    assert set(conda) == {"python", "pip"}
    assert conda["python"].removeprefix("python") == project["requires-python"] + ",<3.14"
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    extras = ",".join(project["optional-dependencies"])
    assert pip == [f"-e .[{extras}]"]


def test_no_dependency_is_capped_or_unused():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 brings tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in project["dependencies"]:
        assert re.fullmatch(r"[a-z0-9\-]+(\[[a-z]+\])?>=[\d.]+", requirement), requirement


def test_no_global_randomness_in_the_package():
    """Every random number comes from a generator with a seed.

    `randn_like` and its kind accept none, so they are not used.
    """
    calls = re.compile(
        r"np\.random\.(?!default_rng|Generator)|(?<![\w.])random\.(random|randint|choice|shuffle)\(|"
        r"torch\.manual_seed|rand(n|int)?_like|torch\.seed"
    )
    for path in MODULES:
        if path.name == "seeds.py":  # initial weights and dropout draw from torch's own generator
            continue
        assert not calls.search(path.read_text(encoding="utf-8")), path


DRAWS = {
    "rand",
    "randn",
    "randint",
    "randperm",
    "multinomial",
    "bernoulli",
    "normal",
    "poisson",
    "normal_",
    "uniform_",
    "random_",
    "bernoulli_",
    "exponential_",
    "trunc_normal_",
}


def global_draws(code: str) -> list[str]:
    """The calls in a source that draw from a global generator.

    These are torch's without `generator=`, NumPy's old functions, and Python's `random`.
    """
    found, tree = [], ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if not node.level
                else []
            )
            found += [f"import {name}" for name in modules if name in ("random", "numpy.random")]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            said, given = ast.unparse(node.func), {keyword.arg for keyword in node.keywords}
            torchs = said.startswith("torch.") or node.func.attr.endswith("_")
            if node.func.attr in DRAWS and torchs and "generator" not in given:
                found.append(said)
            numpys = re.fullmatch(r"(np|numpy)\.random\.(\w+)", said)
            if numpys and (
                numpys[2] not in ("default_rng", "Generator", "PCG64", "SeedSequence")
                or not node.args
            ):
                found.append(said)
    return found


@pytest.mark.parametrize(
    "path", [*MODULES, *sorted((ROOT / "notebooks" / "src").glob("*.py"))], ids=lambda p: p.name
)
def test_every_draw_names_its_generator(path):
    code = path.read_text(encoding="utf-8")
    if path.name in (
        "seeds.py",
        "15_networks.py",
    ):  # PyTorch's own starting weights come from its own generator: it is seeded
        assert "torch.manual_seed(" in code
    else:
        assert not global_draws(code)


def test_the_search_for_global_draws_finds_them():
    bad = (
        "torch.rand(3)",
        "x.normal_(0, 1)",
        "np.random.normal()",
        "np.random.default_rng()",
        "import random",
        "from random import choice",
        "torch.randperm(4, device=d)",
        "numpy.random.seed(0)",
    )
    assert all(len(global_draws(code)) == 1 for code in bad)
    good = (
        "torch.rand(3, generator=g)",
        "np.random.default_rng(0)",
        "generator.normal(0, 1)",
        "from .random import x",
        "y.zero_()",
    )
    assert not any(global_draws(code) for code in good)


def test_what_the_environment_can_say_stands_in_the_readme():
    text = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
    names = set(re.findall(r"environ(?:\.get\(|\[)[\"'](DREAMKIT_\w+)", text))
    assert {"DREAMKIT_NETWORK", "DREAMKIT_KEEP_MEMORY"} <= names
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [name for name in names if f"`{name}" not in readme]
