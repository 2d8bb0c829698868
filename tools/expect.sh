#!/bin/sh
# expect.sh PROGRAM FILE - does the program print what the file says? Numbers
# in both are compared after rounding to four digits, since the last ones
# differ between processors.
set -eu
actual=$(mktemp)
trap 'rm -f "$actual"' EXIT
"$1" >"$actual"
rounded() {
    awk '{
        line = ""
        while (match($0, /-?[0-9]+\.[0-9]+(e[-+]?[0-9]+)?/)) {
            number = sprintf("%.4g", substr($0, RSTART, RLENGTH))
            if (number + 0 == 0) number = 0
            line = line substr($0, 1, RSTART - 1) number
            $0 = substr($0, RSTART + RLENGTH)
        }
        print line $0
    }' "$1"
}
wanted=$(rounded "$2")
got=$(rounded "$actual")
[ "$wanted" = "$got" ] && exit 0
printf 'expected:\n%s\n\nbut got:\n%s\n' "$wanted" "$got"
exit 1
