"""The package as it is installed: its version, and which file it loads."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import fish_api_credit
from conftest import needs
from fish_api_credit._library import _NAME, library


def test_the_version_is_the_librarys():
    library().fish_version.restype = ctypes.c_char_p
    assert fish_api_credit.__version__.encode() == library().fish_version()


def test_the_library_in_the_package_comes_before_the_systems_and_after_the_variables(tmp_path: Path) -> None:
    built = os.environ.get("FISH_API_CREDIT_LIBRARY") or ctypes.util.find_library("fish_api_credit")
    needs("library by its path", built and os.path.exists(built))
    package = Path(fish_api_credit.__file__).parent
    shutil.copytree(package, tmp_path / "fish_api_credit", ignore=shutil.ignore_patterns("__pycache__"))

    def loaded(**variables: str) -> str:
        # Its name, or why it was not loaded.
        program = (
            "from fish_api_credit._library import library\n"
            "try: print(library()._name)\n"
            "except ImportError as error: print(error)"
        )
        # Where the loader would find one of the system's, there is one that is none.
        environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path), **variables}
        if "FISH_API_CREDIT_LIBRARY" not in variables:
            environment.pop("FISH_API_CREDIT_LIBRARY", None)
        command = [sys.executable, "-c", program]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, check=True, stdout=subprocess.PIPE)
        return ran.stdout.decode().strip()

    (tmp_path / _NAME).write_text("no library")
    own = tmp_path / "fish_api_credit" / _NAME
    assert loaded() != str(own)
    shutil.copy(str(built), own)
    assert loaded() == str(own)
    assert loaded(FISH_API_CREDIT_LIBRARY=str(built)) == str(built)
    assert "/nowhere/else" in loaded(FISH_API_CREDIT_LIBRARY="/nowhere/else")
