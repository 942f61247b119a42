"""Finds and loads the library, and owns its handles. _abi.py describes its interface.

It is loaded on first use, so that a program can import the package without it and report what is missing.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from functools import lru_cache
from typing import Any, Callable

from ._abi import ABI_VERSION, FUNCTIONS


class Handle:
    """A pointer of the library, freed with its last reference.

    Nothing in this package takes a lock: a signal handler or a finaliser would deadlock with its own thread, and a
    forked child with a thread that it does not have. Users of a handle hold a reference to it instead.

    It is created empty, and then the library fills it, so an interrupt in between leaks nothing.
    """

    __slots__ = ("_as_parameter_", "_free", "__weakref__")

    def __init__(self, free: Callable[[ctypes.c_void_p], None]) -> None:
        self._as_parameter_ = ctypes.c_void_p()
        self._free = free

    @property
    def out(self) -> ctypes.c_void_p:
        """The pointer that the library fills."""
        return self._as_parameter_

    def free(self) -> None:
        """Frees it at once, if only this thread uses it: a traceback may keep a reference for long."""
        pointer, self._as_parameter_ = self._as_parameter_, ctypes.c_void_p()
        self._free(pointer)

    def __del__(self) -> None:
        self.free()

    def __reduce__(self) -> Any:
        raise TypeError("it belongs to this process; it cannot be copied or pickled")


if sys.platform == "win32":
    _NAME = "fish_api_credit.dll"
elif sys.platform == "darwin":
    _NAME = "libfish_api_credit.0.dylib"
else:
    _NAME = "libfish_api_credit.so.0"


def _path() -> str:
    """The file: FISH_API_CREDIT_LIBRARY if set, else the one in this package, else what the system's loader finds."""
    named = os.environ.get("FISH_API_CREDIT_LIBRARY")
    if named:
        return named
    # A wheel has it.
    own = os.path.join(os.path.dirname(os.path.abspath(__file__)), _NAME)
    if os.path.exists(own):
        return own
    # The loader also searches places that find_library does not, such as LD_LIBRARY_PATH without a compiler.
    return ctypes.util.find_library("fish_api_credit") or _NAME


@lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    """The library, loaded by the first call. Raises ImportError if it cannot be loaded."""
    path = _path()
    try:
        # CDLL releases the GIL during each call, so other Python threads run.
        loaded = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"libfish_api_credit cannot be loaded ({error}); install it, or set FISH_API_CREDIT_LIBRARY to its file"
        ) from None
    try:
        loaded.fish_abi_version.restype = ctypes.c_uint32
        version = loaded.fish_abi_version()
        if version != ABI_VERSION:
            raise ImportError(
                f"{path} has ABI {version}, but this package is for ABI {ABI_VERSION}; install the two together"
            )
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as error:
        raise ImportError(
            f"{path} is not this package's libfish_api_credit ({error}); install the two together"
        ) from None
    return loaded
