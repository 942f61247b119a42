#!/usr/bin/env bash
# Links for Windows by MinGW, whose ld puts what is imported in the order of its files' paths. Those of this folder are
# made relative, so that the order is the same wherever the folder is: rustc calls this from its top.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
exec x86_64-w64-mingw32-gcc "${@//"$here/"/}"
