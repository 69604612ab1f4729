#!/usr/bin/env bash
# Names the system packages that a target needs and this machine lacks, and the command that installs them.
#
#     deploy/needs.sh TARGET PACKAGE:COMMAND|PACKAGE:HEADER...
set -euo pipefail
target=$1
shift
missing=()
for need in "$@"; do
    package=${need%%:*} what=${need#*:}
    case $what in
        *.h | *.hpp)
            # Without a compiler nobody knows; the compiler is named then.
            if command -v g++ > /dev/null; then
                printf '#include <stdio.h>\n#include <%s>\n' "$what" | g++ -E -x c++ - > /dev/null 2>&1 || missing+=("$package")
            fi
            ;;
        *) command -v "$what" > /dev/null || missing+=("$package") ;;
    esac
done
if ((${#missing[@]})); then
    echo "make $target needs what this machine lacks: ${missing[*]}. On Debian: apt-get install ${missing[*]}" >&2
    exit 1
fi
