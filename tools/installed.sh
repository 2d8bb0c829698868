#!/bin/sh
# installed.sh FOLDER - installs into a temporary prefix and builds, outside
# the tree and through pkg-config alone, each examples/own_*.c: shared and
# static, and one in double precision. Each program must run.
set -eu
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
examples=$(pwd)/examples

DESTDIR=$prefix meson install -C "$1" --no-rebuild --quiet
libraries=$(dirname "$(find "$prefix" -name hourglass.pc)")
export PKG_CONFIG_PATH="$libraries" PKG_CONFIG_SYSROOT_DIR="$prefix"
export LD_LIBRARY_PATH="${libraries%/pkgconfig}"

# own SOURCE PACKAGE FLAG... : compiles and runs.
own() {
    source=$1 package=$2
    shift 2
    echo "$source with $package $*"
    # shellcheck disable=SC2046 # words of pkg-config
    gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -O1 -o "$prefix/own" \
        "$source" $(pkg-config "$@" --cflags --libs "$package")
    (cd "$prefix" && ./own)
}

# What makes the program easy to use, where there is a Python to make it.
if command -v python3 >/dev/null; then
    grep -q 'SS train' "$(find "$prefix" -path '*/man1/hourglass.1')"
    grep -q 'complete -F' "$(find "$prefix" -name hourglass.bash)"
fi

# Documents lead to nothing that is not installed with them.
if grep -rn --include='*.md' ']([.][.]/[.]*[a-z]' "$prefix" |
    grep -v '](\.\./[a-z-]*\.md'; then
    exit 1
fi

# The installed program compiles a model against the installed headers.
program=$(find "$prefix" -name hourglass -path '*/bin/*')
(cd "$prefix" && "$program" new my-vae >new.log &&
    "$program" train ./my_vae.c --data synthetic:64 --epochs 1 --out "$prefix")

# It needs libm, which the flags of pkg-config have to name.
cat >"$prefix/smallest.c" <<'END'
#include <hourglass.h>
#include <math.h>
int main(void)
{
    volatile double one = 1;
    hg_context *c = hg_context_new("cpu", 1);
    hg_context_free(c);
    return c == NULL || log(one) != 0;
}
END
for source in "$prefix/smallest.c" "$examples"/own_*.c; do
    [ -f "$source" ] || continue
    own "$source" hourglass
    own "$source" hourglass-f64
done
# C++ sees the same interface.
for package in hourglass hourglass-f64; do
    echo "tests/test_cpp.cpp with $package"
    # shellcheck disable=SC2046 # words of pkg-config
    g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -o "$prefix/own" \
        tests/test_cpp.cpp $(pkg-config --cflags --libs "$package")
    "$prefix/own"
done

# Code for one precision is not linked with the library of the other.
mixed() {
    # shellcheck disable=SC2046 # words of pkg-config
    if gcc -o "$prefix/own" "$prefix/smallest.c" $(pkg-config --cflags "$1") \
        $(pkg-config --libs "$2") 2>/dev/null; then
        echo "code for $1 was linked with $2"
        exit 1
    fi
}
mixed hourglass hourglass-f64
mixed hourglass-f64 hourglass

# Nothing else may be visible; three names are what some linkers add.
nm -D --defined-only "$LD_LIBRARY_PATH"/*.so | awk 'NF == 3 { print $3 }' |
    grep -Ev '^((hg|nn|model)_.*|__bss_start|_edata|_end)$' && exit 1
rm "$LD_LIBRARY_PATH"/*.so*
own "$prefix/smallest.c" hourglass --static
