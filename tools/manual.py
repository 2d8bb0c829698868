#!/usr/bin/env python3
"""manual.py man|bash PROGRAM - the manual page, the completion of bash.

Both are made from what the program says of itself with --help, so from the
table that parses. Goes to standard output; Meson calls it.
"""
import os
import re
import subprocess
import sys

CHOICES = {"--device": "auto cpu cuda cuda:0", "--split": "train val test",
           "--precision": "fp32 tf32 bf16", "--fit": "crop pad stretch",
           "--colour": "auto grey rgb", "--broken": "stop skip",
           "--data": "mnist fashion-mnist binarized-mnist cifar10 synthetic",
           "--decoder-std": "learned optimal"}
ROW = re.compile(r"  (--[\w-]+)(?:, (-\w))?(?: ([A-Z0-9]\S*))?(?: +|$)(.*)")


def help_of(program, *words):
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith("HOURGLASS_")}
    return subprocess.run([program, *words], check=True, text=True,
                          env=environment, capture_output=True).stdout


def commands_of(program):
    """(name, about) of each command, and what follows their list."""
    text = help_of(program, "--help")
    listed = text.split("commands:\n")[1].split("\n\n")
    rows = [line.split(maxsplit=1) for line in listed[0].splitlines()]
    return rows, listed[1]


class Help:
    """Of one command: examples, form, remarks, groups of options."""

    def __init__(self, text):
        self.examples, self.usage, self.remarks, self.groups = [], [], [], []
        options = False
        for line in text.splitlines():
            row = ROW.match(line)
            if row:
                options = True
                if not self.groups:
                    self.groups.append(["", []])
                self.groups[-1][1].append(list(row.groups()))
            elif options and line.startswith(" " * 20):
                self.groups[-1][1][-1][3] += " " + line.strip()
            elif line.startswith("  hourglass"):
                self.examples.append(line.strip())
            elif line.startswith(("usage: ", "       hourglass")):
                self.usage.append(line.replace("usage: ", "").strip())
            elif line.endswith(":") and not line.startswith(" "):
                if line != "examples:":
                    self.groups.append([line[:-1], []])
            elif line.strip():
                self.remarks.append(line.strip())


# ---- man ---------------------------------------------------------------------

def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def options_page(rows):
    for name, letter, argument, about in rows:
        head = f"\\fB{escaped(name)}\\fR"
        if letter:
            head += f", \\fB{escaped(letter)}\\fR"
        if argument:
            head += f" \\fI{escaped(argument)}\\fR"
        yield from (".TP", head, escaped(about))


def command_page(name, about, text):
    yield from (f".SS {escaped(name)}", escaped(about[0].upper() + about[1:])
                + ".")
    for form in text.usage:
        yield from (".PP", f".B {escaped(form)}")
    if text.remarks:
        yield from (".PP", escaped(" ".join(text.remarks)))
    for example in text.examples:
        yield from (".PP", ".RS", f".nf\n{escaped(example)}\n.fi", ".RE")
    for heading, rows in text.groups:
        if heading == "for every command":
            continue
        if heading:
            yield from (".PP", f"\\fI{escaped(heading)}\\fR")
        yield from options_page(rows)


def man(program, version):
    rows, rest = commands_of(program)
    helps = {name: Help(help_of(program, name, "--help")) for name, _ in rows}
    common = next(rows for heading, rows in helps["train"].groups
                  if heading == "for every command")
    codes = " ".join(rest.split("exit codes:")[1].split())
    yield f'.TH HOURGLASS 1 "" "hourglass {version}" "User Commands"'
    yield from (".SH NAME", "hourglass \\- autoencoders in C: train them, look "
                "at them, measure them", ".SH SYNOPSIS", ".B hourglass",
                ".I COMMAND", "[\\fIMODEL\\fR | \\fIRUN\\fR] [\\fIoptions\\fR]",
                ".SH COMMANDS")
    for name, about in rows:
        yield from command_page(name, about, helps[name])
    yield from (".SH OPTIONS OF EVERY COMMAND", *options_page(common),
                ".SH EXIT STATUS", escaped(codes) + ".", ".SH ENVIRONMENT",
                "An option whose description ends with a variable takes its "
                "value from there where it is not given; see docs/runs.md.")


# ---- bash --------------------------------------------------------------------

def first_word(text):
    """What stands after the command: a model, a run, or something else."""
    form = (text.usage or [""])[0].split()
    return "models" if "MODEL" in form else "runs" if "[RUN]" in form else ""


def bash(program, _):
    rows, _ = commands_of(program)
    models = re.findall(r'"name": "(.*?)"', help_of(program, "models", "--json"))
    helps = {name: Help(help_of(program, name, "--help")) for name, _ in rows}
    yield "# bash completion of hourglass, made by tools/manual.py"
    yield "_hourglass()\n{"
    yield "    local cur=${COMP_WORDS[COMP_CWORD]} kind= options="
    yield "    local prev=${COMP_WORDS[COMP_CWORD - 1]}"
    yield "    COMPREPLY=()\n    if ((COMP_CWORD == 1)); then"
    yield ('        COMPREPLY=($(compgen -W "' + " ".join(n for n, _ in rows)
           + ' --help --version" -- "$cur"))\n        return\n    fi')
    yield "    case $prev in"
    for option, words in CHOICES.items():
        yield (f"    {option}) COMPREPLY=($(compgen -W \"{words}\" -- "
               '"$cur")); return ;;')
    yield "    esac\n    case ${COMP_WORDS[1]} in"
    for name, _ in rows:
        options = [row[0] for _, group in helps[name].groups for row in group]
        yield (f"    {name}) kind={first_word(helps[name]) or 'files'}; options=\""
               + " ".join([*options, "--help"]) + '" ;;')
    yield '    esac\n    if [[ $cur == -* ]]; then'
    yield '        COMPREPLY=($(compgen -W "$options" -- "$cur"))'
    yield "    elif ((COMP_CWORD == 2)) && [[ $kind == models ]]; then"
    yield ('        COMPREPLY=($(compgen -W "' + " ".join(models)
           + '" -- "$cur") $(compgen -f -- "$cur"))')
    yield "    elif ((COMP_CWORD == 2)) && [[ $kind == runs ]]; then"
    yield '        COMPREPLY=($(compgen -d -- "$cur") $(compgen -d -- "runs/$cur"))'
    yield "    else\n        compopt -o default 2>/dev/null\n    fi\n}"
    yield "complete -F _hourglass hourglass"


def main():
    kind, program = sys.argv[1:3]
    version = help_of(program, "--version").split()[1]
    print("\n".join({"man": man, "bash": bash}[kind](program, version)))


main()
