#!/bin/sh
# docs/CONTAINERS.md, "What a container takes away": each row has its tests, and each test is of a row.
# SPDX-License-Identifier: ISC
set -u
cd "$(dirname "$0")/../.." && export LC_ALL=C.UTF-8 || exit 2
rows=$(sed -n '/^## What a container takes away/,/^## As an/s/^| \([^|]*\) |.*/\1/p' docs/CONTAINERS.md | sed '/^it has$/d; /^---$/d')
listed=$(grep -v '^#\|^	\|^$' tests/containers.txt)
lacks=$(
	printf '%s\n' "$rows" | while IFS= read -r row; do
		printf '%s\n' "$listed" | { while IFS= read -r name; do case $row in "$name"*) exit 1 ;; esac; done; } &&
			echo "no test: $row"
	done
	printf '%s\n' "$listed" | while IFS= read -r name; do
		printf '%s\n' "$rows" | { while IFS= read -r row; do case $row in "$name"*) exit 1 ;; esac; done; } &&
			echo "no such row: $name"
	done
	sed -n 's/^	//p' tests/containers.txt | while IFS= read -r test; do
		grep -Fq -- "${test#*: }" "tests/cells/${test%%: *}" || echo "no such test: $test"
	done
)
if [ -z "$lacks" ]; then
	echo "ok golden: each row of what a container takes away has its tests"
else
	echo "not ok golden: each row of what a container takes away has its tests"
	printf '%s\n' "$lacks" | sed 's/^/    /'
	exit 1
fi
