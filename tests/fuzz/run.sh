#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a libFuzzer program for some seconds on a copy of its corpus, so that what it finds does not
# end up in the source tree. An input that breaks it is left in the current directory.
#
# usage: run.sh PROGRAM SECONDS MOST-BYTES CORPUS-DIRECTORY [DICTIONARY]
set -eu

program=$1
seconds=$2
length=$3
corpus=$4
dictionary=${5:-}

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp "$corpus"/* "$copy"/
# Not libFuzzer's own 77, which would count as skipped.
"$program" -error_exitcode=1 -max_total_time="$seconds" -max_len="$length" -timeout=5 -print_final_stats=1 \
	${dictionary:+-dict="$dictionary"} "$copy"
