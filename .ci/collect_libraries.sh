#!/bin/sh
# collect_libraries.sh DIR: copies the C library that the executor runs on into DIR, from the system it is run on (GNU libc and sed).
# The loader's copy looks for libraries nowhere but under /kaniko: a base image unpacked around the running executor can bring
# its own /etc/ld.so.preload, ld.so.cache and /usr/lib, and none of its code must get into the process that holds the credentials.
set -eu
dir=${1:?usage: collect_libraries.sh DIR}
mkdir -p "$dir"

# Prints the file called $1 in the system's library folders, or nothing.
find_library() {
	for folder in /lib/*-linux-gnu /usr/lib/*-linux-gnu /lib64 /usr/lib64 /lib /usr/lib; do
		for file in "$folder"/$1; do
			[ ! -f "$file" ] || { echo "$file"; return; }
		done
	done
}

# Replaces a string that ends with a NUL in file $1 by another of equal length: $2 by $3, filled up with slashes.
redirect() {
	new=$3
	while [ ${#new} -lt ${#2} ]; do new=$new/; done
	[ ${#new} -eq ${#2} ] || { echo "collect_libraries.sh: $3 is longer than $2" >&2; exit 1; }
	LC_ALL=C sed -i "s#$2\\x00#$new\\x00#g" "$1"
}

loader=$(find_library 'ld-linux-*.so.[0-9]')
[ -n "$loader" ] || { echo "collect_libraries.sh: no GNU C library here" >&2; exit 1; }
loader=${loader##*/}
for name in "$loader" libc.so.6 libm.so.6 libgcc_s.so.1 libdl.so.2 librt.so.1 libpthread.so.0; do
	file=$(find_library "$name")
	[ -n "$file" ] || { echo "collect_libraries.sh: no $name here" >&2; exit 1; }
	cp -L "$file" "$dir/$name"
done
# Since glibc 2.34 these two are part of libc itself; where they are real files they are taken along.
for name in libnss_files.so.2 libnss_dns.so.2; do
	file=$(find_library "$name")
	[ -z "$file" ] || cp -L "$file" "$dir/$name"
done

size=$(wc -c <"$dir/$loader")
redirect "$dir/$loader" /etc/ld.so.preload /kaniko/ld.preload
redirect "$dir/$loader" /etc/ld.so.cache /kaniko/ld.cache
# The longer names first: each is the end of another.
for folder in /usr/lib/*-linux-gnu/ /lib/*-linux-gnu/; do redirect "$dir/$loader" "$folder" /kaniko/lib/; done
for folder in /usr/lib64/ /lib64/ /usr/lib/ /lib/; do redirect "$dir/$loader" "$folder" /sys/; done
chmod 755 "$dir"/*

[ "$(wc -c <"$dir/$loader")" -eq "$size" ] || { echo "collect_libraries.sh: the loader's size changed" >&2; exit 1; }
if LC_ALL=C grep -azqxE '/etc/ld\.so\.(preload|cache)|(/usr)?/lib(64)?/([^/]+-linux-gnu/)?' "$dir/$loader"; then
	echo "collect_libraries.sh: the loader still looks outside /kaniko" >&2
	exit 1
fi
"$dir/$loader" --library-path "$dir" /bin/true || { echo "collect_libraries.sh: the loader does not start a program" >&2; exit 1; }
