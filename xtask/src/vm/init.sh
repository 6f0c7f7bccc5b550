#!/bin/busybox sh
# The first program of a guest: inserts its drivers, and makes a root of the host's files with what is written on top in memory.
set -u
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do
    # Some kernels have one built in.
    insmod "/drivers/$module" 2>/dev/null || true
done < /modules
mount -t virtiofs -o ro host /lower || echo "vm: no files of the host"
mount -t tmpfs -o size=50% upper /upper
mkdir -p /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work whole /whole || echo "vm: no root"
for place in proc sys dev; do mount --move /$place /whole/$place; done
mkdir -p /whole/dev/pts /whole/dev/shm
ln -sf /proc/self/fd /whole/dev/fd
for number in 0 1 2; do ln -sf "/proc/self/fd/$number" "/whole/dev/$(echo stdin stdout stderr | cut -d ' ' -f $((number + 1)))"; done
mount -t devpts devpts /whole/dev/pts
# Not /tmp: the project may lie there, and what is written there is in memory as well.
for place in dev/shm run; do mount -t tmpfs tmp "/whole/$place"; done
mount -t tracefs tracefs /whole/sys/kernel/tracing 2>/dev/null || true
mount -t bpf bpf /whole/sys/fs/bpf 2>/dev/null || true
mount -t cgroup2 cgroup /whole/sys/fs/cgroup 2>/dev/null || true
cp /script /whole/run/vm-script
exec switch_root /whole /bin/sh /run/vm-script
