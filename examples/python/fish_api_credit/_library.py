"""Finding the library's file, loading it, and holding what it gives. _abi.py says what is in it.

It is loaded when it is first used, so that a program without it can still import the package and say what is wrong.
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
    """A thing of the library's, freed when the last reference to it goes.

    Nothing in this package takes a lock: a signal handler or a finaliser would wait for its own thread, and a forked
    child for a thread that it does not have. Who uses a thing holds a reference to it, and that is enough.

    It is made empty, and the library fills it: so an interrupt between the two loses nothing.
    """

    __slots__ = ("_as_parameter_", "_free", "__weakref__")

    def __init__(self, free: Callable[[ctypes.c_void_p], None]) -> None:
        self._as_parameter_ = ctypes.c_void_p()
        self._free = free

    @property
    def out(self) -> ctypes.c_void_p:
        """What the library fills."""
        return self._as_parameter_

    def free(self) -> None:
        """At once: for what only this thread has used. A traceback may hold a reference for long."""
        pointer, self._as_parameter_ = self._as_parameter_, ctypes.c_void_p()
        self._free(pointer)

    def __del__(self) -> None:
        self.free()

    def __reduce__(self) -> Any:
        raise TypeError("it belongs to this process, and cannot be copied or pickled")


def _path() -> str:
    """FISH_API_CREDIT_LIBRARY if set, else what the system's loader finds."""
    named = os.environ.get("FISH_API_CREDIT_LIBRARY")
    if named:
        return named
    found = ctypes.util.find_library("fish_api_credit")
    if found:
        return found
    # The loader also knows places that find_library does not, such as LD_LIBRARY_PATH without a compiler.
    if sys.platform == "win32":
        return "fish_api_credit.dll"
    if sys.platform == "darwin":
        return "libfish_api_credit.0.dylib"
    return "libfish_api_credit.so.0"


@lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    """The library, loaded at the first call. ImportError says why it cannot be."""
    path = _path()
    try:
        # CDLL releases the GIL during each call: other Python threads go on.
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
