#!/bin/sh
# Turns this process into a container's: its own view of the files, its user, no privileges. Runs inside the pod's
# network namespace, where `ip netns exec` has made a mount namespace too: all mounts go with the process.
#
#   enter.sh SCRATCH ro|rw USER GROUP FOLDER [ro|rw SOURCE TARGET]... -- COMMAND [ARGUMENT]...
#
# SCRATCH is an empty folder. The container sees this machine's files with each SOURCE mounted on its TARGET.
set -eu
scratch=$1 mode=$2 user=$3 group=$4 folder=$5
shift 5

mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
root=$scratch/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
for each in proc dev; do mount --rbind "/$each" "$root/$each"; done

while [ "$1" != -- ]; do
  # /var/run is a link to /run, and an absolute one would lead out of the new root.
  target=$root$(chroot "$root" realpath -m "$3")
  mkdir -p "$target"
  mount --bind "$2" "$target"
  [ "$1" = rw ] || mount -o remount,bind,ro "$target"
  shift 3
done
shift
[ "$mode" = rw ] || mount -o remount,bind,ro "$root"

exec chroot "$root" setpriv --reuid "$user" --regid "$group" --clear-groups --no-new-privs \
  --inh-caps=-all --bounding-set=-all sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
