#!/bin/sh
# What runs inside: a worker that holds no chain, and the attestation of an account. All keys are made in here.
#
#   start.sh --tsm | --gramine
#
#   /data           memory of the guest (VM), or sealed to the enclave (Gramine)
#   /in/edge        from the host, not measured: lines `network ID`, `join ADDRESS`, `chain EU`, `city Zurich`
#   /in/collateral  from the host: what the vendor signed about this platform (`meshx attest submit --collateral`)
#
# Only the shell, meshx and sleep are called: inside Gramine every process is an enclave of its own.
set -eu
source=$1
export HOME=/data MESHX_WALLET=/data/wallet MESHX_PASSPHRASE='' MESHX_NODE=http://127.0.0.1:8700

# The recovery words go nowhere: what is printed in here, the host reads.
[ -e "$MESHX_WALLET" ] || meshx wallet new >/dev/null 2>&1
echo "account   $(meshx wallet show 2>/dev/null)"

# Of what the host says only these four words count, each as the value of its option.
set --
while read -r key value; do
    case $key in
        network | join | city) set -- "$@" "--$key=$value" ;;
        chain) export MESHX_CHAIN="$value" ;;
    esac
done </in/edge

attest() {
    set -- "$source" --code /bin/meshx
    [ ! -s /in/collateral ] || set -- "$@" --collateral /in/collateral
    meshx attest submit "$@"
}

# An attestation counts for a day at most (the chain's parameter attest_lasts_ms): it is renewed in time.
(
    while sleep 60; do
        if attest; then sleep 21600; fi
    done
) &

exec meshx node start --role edge --dir /data/edge "$@"
