#!/bin/bash
# Runs a command in namespaces of its own, as their first process: takes in what others leave behind, as an init
# does. What containerd, the kubelet and the network's plugins write to places of their own goes elsewhere.
set -euo pipefail
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p "$HANDOFF_NODE"/var/{upper,work}
mount -t overlay overlay -o "lowerdir=/var,upperdir=$HANDOFF_NODE/var/upper,workdir=$HANDOFF_NODE/var/work" /var
"$@" || exit $?
