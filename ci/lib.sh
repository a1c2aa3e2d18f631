# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts in this directory share; sourced, never run. It moves to the root of the checkout,
# so that the scripts work from anywhere.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# The two cores of a small CI machine are enough; if there are more, they are used.
jobs=$(nproc)

# A version manager's python3 is a script that starts several processes before the interpreter. Clients of tests
# would spend more time in it than in their own code.
if interpreter=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null) &&
	[ "$interpreter" != "$(command -v python3)" ]; then
	PATH=$(dirname "$interpreter"):$PATH
fi

title() {
	printf '\n=== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# progress WHAT reads lines, and shows the last one every few seconds, however slowly they come.
progress() {
	local what=$1 line='' new='' shown=$SECONDS started=$SECONDS status
	while :; do
		status=0
		IFS= read -r -t 3 new || status=$?
		if [ "$status" -eq 0 ]; then
			line=$new
		elif [ "$status" -le 128 ]; then
			return
		fi
		if ((SECONDS - shown >= 3)); then
			shown=$SECONDS
			printf '%s: %d s: %s\n' "$what" "$((SECONDS - started))" "${line:0:90}"
		fi
	done
}

# configure DIRECTORY OPTION... configures, or configures again. A directory that another version of meson or
# other options have left is made again.
configure() {
	local directory=$1 log status=0
	shift

	log=$(mktemp)
	if [ -f "$directory/build.ninja" ]; then
		meson setup --reconfigure "$@" "$directory" . >"$log" 2>&1 ||
			meson setup --wipe "$@" "$directory" . >"$log" 2>&1 || rm -rf "$directory"
	fi
	if [ ! -f "$directory/build.ninja" ]; then
		meson setup "$@" "$directory" . >"$log" 2>&1 || status=1
	fi
	[ "$status" -eq 0 ] || cat "$log" >&2
	rm -f "$log"
	return "$status"
}

# build DIRECTORY OPTION... configures and compiles: all, or $target.
build() {
	local log=$1/build.log

	configure "$@" || return 1
	if NINJA_STATUS='%f of %t: ' ninja -C "$1" -j "$jobs" ${target:+"$target"} 2>&1 |
		tee "$log" | progress "build"; then
		grep -A 4 'warning:' "$log" || true
	else
		grep -A 20 -E '^FAILED|error:' "$log" | head -n 100 >&2 || tail -n 20 "$log" >&2
		return 1
	fi
}
