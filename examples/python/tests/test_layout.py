"""What _abi.py says of the header, held to the header by the C compiler."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
from pathlib import Path

from conftest import needs

from fish_api_credit import _abi, _library

HERE = Path(__file__).resolve().parent
INCLUDE = Path(os.environ.get("FISH_API_CREDIT_INCLUDE", HERE.parent.parent.parent / "include"))
HEADER = (INCLUDE / "fish_api_credit.h").read_text()

STRUCTS = {
    "fish_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): struct
    for name, struct in vars(_abi).items()
    if isinstance(struct, type) and issubclass(struct, ctypes.Structure) and struct is not ctypes.Structure
}
CONSTANTS = {
    **{f"FISH_{name}": value for name, value in vars(_abi).items() if name.isupper() and isinstance(value, int)},
    **{f"FISH_{value.name}": value.value for value in [*_abi.Status, *_abi.Tristate]},
    **{f"FISH_LEVEL_{level.name}": level.value for level in _abi.Level},
}


def test_every_struct_and_constant_is_what_the_compiler_sees(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    needs("C compiler", compiler)
    expected, lines = [], []
    for name, struct in STRUCTS.items():
        expected.append(f"{name} {ctypes.sizeof(struct)}")
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for field, *_ in struct._fields_:
            place = getattr(struct, field)
            expected.append(f"{name}.{field} {place.offset} {place.size}")
            lines.append(
                f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));'
            )
    for name, value in CONSTANTS.items():
        expected.append(f"{name} {value}")
        lines.append(f'printf("{name} %lld\\n", (long long){name});')
    source = tmp_path / "layout.c"
    source.write_text(
        "#include <stdio.h>\n#include <fish_api_credit.h>\nint main(void) {\n" + "\n".join(lines) + "\nreturn 0; }\n"
    )
    subprocess.run([compiler, "-I", INCLUDE, source, "-o", tmp_path / "layout"], check=True)
    seen = subprocess.run([tmp_path / "layout"], check=True, capture_output=True, text=True).stdout
    assert seen.splitlines() == expected


def test_no_field_of_the_header_is_missing() -> None:
    assert len(STRUCTS) == len(re.findall(r"^(?:typedef )?struct fish_\w+ {", HEADER, re.M))
    for name, struct in STRUCTS.items():
        body = re.search(rf"struct {name} {{(.*?)\n}}", HEADER, re.S)
        assert body, name
        code = re.sub(r"/\*.*?\*/", "", body[1], flags=re.S)
        fields = re.findall(r"(\w+)(?:\[\d+\])?;", code)
        assert [field for field, *_ in struct._fields_] == fields


def test_no_function_of_the_header_is_missing() -> None:
    code = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S)
    assert set(re.findall(r"\b(fish_\w+)\(", code)) == set(_abi.FUNCTIONS)


def test_no_constant_of_the_header_is_missing() -> None:
    code = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S)
    names = re.findall(r"^  (FISH_\w+) = -?\d+,|^#define (FISH_\w+) [^\"\n]+$", code, re.M)
    assert {one or other for one, other in names} == set(CONSTANTS)


def test_the_headers_version_is_the_librarys() -> None:
    version = re.search(r'#define FISH_VERSION "(.*)"', HEADER)
    assert version and version[1] == _abi.VERSION == _library.library().fish_version().decode()
