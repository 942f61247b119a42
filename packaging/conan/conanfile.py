"""The Conan 2 recipe. It builds nothing: it packages the libraries of a release archive, for Conan's own registry takes no
Rust sources. packaging/conan.sh puts it into a release, with a conandata.yml that has the version and, for each archive,
where it is, its SHA-256 and what the static library needs beside it.
"""

from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, get

required_conan_version = ">=2.0"

ARCHITECTURES = {"x86_64": "x86_64", "armv8": "aarch64"}


class FishApiCredit(ConanFile):
    name = "fish-api-credit"
    description = "Reads a Fish Audio account's API credit"
    license = "MIT OR Apache-2.0"
    homepage = "https://github.com/fish-api-credit/fish-api-credit"
    topics = ("fish-audio", "ffi", "c-api", "credit", "balance")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    # Conan has no setting for the C library of Linux.
    options = {"shared": [True, False], "libc": ["glibc", "musl"]}
    default_options = {"shared": False, "libc": "glibc"}

    def set_version(self):
        self.version = self.conan_data["version"]

    def config_options(self):
        if self.settings.os != "Linux":
            del self.options.libc

    def configure(self):
        # A C library: nothing of C++ is in it.
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def package_id(self):
        # One library for every compiler, and for Debug and Release.
        del self.info.settings.compiler
        del self.info.settings.build_type

    def validate(self):
        if self.settings.get_safe("compiler.runtime"): # Microsoft's
            raise ConanInvalidConfiguration(
                "the libraries for Windows are for MinGW. With MSVC, use the release archive: "
                "`lib /def:fish_api_credit.def /machine:x64` makes an import library for its DLL")
        if self._target() not in self.conan_data["archives"]:
            raise ConanInvalidConfiguration(
                f"there is no release archive for {self._target()}")

    def _target(self):
        os, arch = str(self.settings.os), str(self.settings.arch)
        system = {
            "Linux": "unknown-linux-musl" if self.options.get_safe("libc") == "musl" else "unknown-linux-gnu",
            "Windows": "pc-windows-gnu",
            "Macos": "apple-darwin",
        }.get(os, os)
        return f"{ARCHITECTURES.get(arch, arch)}-{system}"

    def build(self):
        archive = self.conan_data["archives"][self._target()]
        folder = self.conf.get("user.fish_api_credit:archives")
        url = (Path(folder).resolve() / archive["url"].rpartition("/")[2]).as_uri() if folder else archive["url"]
        get(self, url, sha256=archive["sha256"], strip_root=True)

    def package(self):
        def take(*patterns, folder="", to=""):
            for pattern in patterns:
                copy(self, pattern, Path(self.build_folder, folder), Path(self.package_folder, to or folder))

        take("THIRD-PARTY", to="licenses")
        take("LICENSE-*", folder="share/licenses/fish-api-credit", to="licenses")
        take("*.h", "*.hpp", "*.modulemap", folder="include")
        if self.options.shared:
            take("*.so*", "*.dylib", "*.dll.a", "*.def", folder="lib")
            take("*.dll", folder="bin")
        else:
            take("libfish_api_credit.a", folder="lib")

    def package_info(self):
        # The names of our own CMake package and .pc file.
        kind = "shared" if self.options.shared else "static"
        self.cpp_info.set_property("cmake_file_name", "FishApiCredit")
        self.cpp_info.set_property("cmake_target_name", f"FishApiCredit::{kind}")
        self.cpp_info.set_property("cmake_components", [kind])
        self.cpp_info.set_property("pkg_config_name", "fish_api_credit")
        self.cpp_info.libs = ["fish_api_credit"]
        if not self.options.shared:
            archive = self.conan_data["archives"][self._target()]
            self.cpp_info.system_libs = archive["system_libs"]
            self.cpp_info.frameworks = archive["frameworks"]
