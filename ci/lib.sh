# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts in this directory share; sourced, never run. It moves to the root of the checkout,
# so that the scripts work from anywhere.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# The two cores of a small CI machine are enough; more are used where there are more.
jobs=$(nproc)

title() {
	printf '\n=== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# build DIRECTORY OPTION... configures (again, when it exists) and compiles: all, or $target.
build() {
	local directory=$1 again=()
	shift

	if [ -f "$directory/build.ninja" ]; then
		again=(--reconfigure)
	fi
	mkdir -p "$directory"
	# Of a configuration that worked nobody reads the log.
	if ! meson setup "${again[@]}" "$@" "$directory" . >"$directory/configure.log" 2>&1; then
		cat "$directory/configure.log" >&2
		return 1
	fi
	ninja -C "$directory" -j "$jobs" --quiet ${target:+"$target"}
}
