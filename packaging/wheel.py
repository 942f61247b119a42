"""A build hook of hatchling's, which packaging/wheels.sh puts beside pyproject.toml: the wheel is for one platform.

There is no extension module for one Python and its ABI in it; the library, loaded by ctypes, is for any Python 3.
"""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Platform(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{self.config['platform']}"
