"""Writes a Go module as a proxy serves it: packaging/go-module.sh's last step.

go-module.py FOLDER MODULE VERSION TIME OUT: the files of FOLDER as OUT/MODULE/@v/VERSION.zip, with what belongs to it. The
zip is as golang.org/x/mod/zip has it: every file below MODULE@VERSION/, with no time and no mode.
"""

import json
import re
import sys
import time
import zipfile
from pathlib import Path

folder, module, version, made, out = sys.argv[1:]
# A capital letter is an exclamation mark and its small one, for file systems that know no difference.
place = Path(out) / re.sub("[A-Z]", lambda capital: "!" + capital[0].lower(), module) / "@v"
place.mkdir(parents=True)
files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
with zipfile.ZipFile(place / f"{version}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in files:
        entry = zipfile.ZipInfo(f"{module}@{version}/{path.relative_to(folder).as_posix()}")
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, path.read_bytes())
when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(made)))
(place / f"{version}.info").write_text(json.dumps({"Version": version, "Time": when}) + "\n")
(place / f"{version}.mod").write_bytes((Path(folder) / "go.mod").read_bytes())
(place / "list").write_text(version + "\n")
