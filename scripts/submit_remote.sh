#!/usr/bin/env bash
# Run a config on a remote Dask scheduler, after checking that it answers.
#
#   scripts/submit_remote.sh CONFIG ADDRESS [OPTION...]      ADDRESS like tcp://scheduler:8786 or tls://scheduler:8786
#
# Options after the address go to `scoreline run`, such as --set train.seed=7
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
config=$1 address=$2
shift 2
bin=$(dirname "$0")/../.venv/bin
[ -x "$bin/scoreline" ] && PATH=$bin:$PATH

hostport=${address#*://}
if ! python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 10).close()' \
    "${hostport%:*}" "${hostport##*:}" 2>/dev/null; then
    printf '%s\n' "no scheduler answers" "  where: $address" "  do:    start one with scripts/start_cluster.sh, or mend the address" >&2
    exit 6
fi
exec scoreline run "$config" --cluster "$address" "$@"
