#!/bin/sh
# Writes a C++ file that includes a .cu file: as_cpp.sh FILE.cu FILE.cpp
printf '#include "%s"\n' "$(realpath "$1")" >"$2"
