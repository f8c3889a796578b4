#!/bin/bash
# Make and sign the enclave in OUT, and print its measurement (mr_enclave). NOT TRIED: see ../README.md.
#
#   build.sh MESHX OUT [KEY]
#
# Needs Gramine 1.8 or later; KEY is an RSA-3072 key of `gramine-sgx-gen-private-key` and does not change mr_enclave.
# Afterwards: put edge (see ../start.sh) and collateral into OUT/in, then `cd OUT && gramine-sgx meshx`.
set -euo pipefail
umask 022
here=$(dirname "$(realpath "$0")")
meshx=$(realpath "$1")
key=$(realpath "${3:-$HOME/.config/gramine/enclave-key.pem}")
mkdir -p "$2/in" "$2/data" && cd "$2"
install -m 755 "$meshx" meshx
install -m 755 "$here/../start.sh" start.sh
# dash, coreutils and libgcc-s1 of this machine: the same versions of them, and of Gramine, give the same measurement.
install -m 755 "$(realpath /bin/dash)" sh
install -m 755 "$(realpath /bin/sleep)" sleep
install -m 755 "$(realpath /lib/x86_64-linux-gnu/libgcc_s.so.1)" libgcc_s.so.1
gramine-manifest "$here/meshx.manifest.template" meshx.manifest
gramine-sgx-sign --key "$key" --date 0000-00-00 --manifest meshx.manifest --output meshx.manifest.sgx
gramine-sgx-sigstruct-view --verbose --output-format=toml meshx.sig
