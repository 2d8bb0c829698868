#!/bin/sh
# gpu_pack.sh - what a machine with a GPU and no network may lack, unpacked in
# the ignored folder .gpu-pack: Debian's packages of the libraries that the
# program and its tests need, and pkgconf. tools/gpu_check.sh finds them there;
# what is not in it (oneDNN, cairo) the build does without. Carry the folder
# along with the tree.
set -eu
cd "$(dirname "$0")/.."
packages="check libsubunit0 libsubunit-dev zlib1g zlib1g-dev
    libjansson4 libjansson-dev libnettle8 libhogweed6 nettle-dev
    libpng16-16 libpng-dev pkgconf pkgconf-bin libpkgconf3"
pack=$PWD/.gpu-pack
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "gpu_pack.sh: this needs apt-get and dpkg-deb, Debian's tools" >&2
    exit 1
fi
rm -rf "$pack"
mkdir -p "$pack/debs" "$pack/root"
# shellcheck disable=SC2086 # a list
(cd "$pack/debs" && apt-get download -q $packages)
for deb in "$pack"/debs/*.deb; do
    dpkg-deb -x "$deb" "$pack/root"
done
rm -rf "$pack/debs" "$pack/root/usr/share/doc" "$pack/root/usr/share/man" \
    "$pack/root/usr/share/info"
# /lib is /usr/lib where Debian's packages meet a merged system.
if [ -d "$pack/root/lib" ]; then
    cp -a "$pack/root/lib/." "$pack/root/usr/lib/"
    rm -rf "$pack/root/lib"
fi
# Links become files: absolute ones would lead out of the folder.
find "$pack/root" -type l | while read -r link; do
    target=$(readlink "$link")
    case $target in
    /lib/*) target=$pack/root/usr$target ;;
    /*) target=$pack/root$target ;;
    *) target=$(dirname "$link")/$target ;;
    esac
    if [ -f "$target" ]; then
        cp -L "$target" "$link.file"
        mv "$link.file" "$link"
    else
        rm "$link"
    fi
done
du -sh "$pack" | awk '{print ".gpu-pack: " $1}'
