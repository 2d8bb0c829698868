#!/usr/bin/env python3
"""plain_links.py FOLDER - for documents that are installed without the tree:
links to files that do not come along become the files' names.

Meson calls it with a folder below the installation's prefix.
"""
import os
import pathlib
import re
import sys

LINK = re.compile(r"\[([^][]*)\]\(([^)\s#]+)(#[^)]*)?\)")


def plain(match, folder):
    """The link as it is where it leads somewhere, else its text, and the
    file's name unless the text has it."""
    text, target, _ = match.groups()
    if "://" in target or (folder / target).exists():
        return match[0]
    name = re.sub(r"^(\.\./)+", "", target)
    return f"`{name}`" if text.strip("`") in name else f"{text} (`{name}`)"


def main():
    prefix = os.environ.get("MESON_INSTALL_DESTDIR_PREFIX", "/")
    root = pathlib.Path(prefix) / sys.argv[1]
    for path in sorted(root.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        path.write_text(LINK.sub(lambda m, f=path.parent: plain(m, f), text),
                        encoding="utf-8")


main()
