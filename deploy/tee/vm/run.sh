#!/bin/bash
# Start the guest that build.sh made.
#
#   run.sh plain|snp|tdx OUT EDGE [COLLATERAL]
#
# EDGE is a file of lines as ../start.sh reads them; the guest reaches this machine at 10.0.2.2. snp and tdx need
# FIRMWARE=OVMF.fd and hardware: NOT TRIED, see ../README.md.
set -euo pipefail
kind=$1 out=$2 edge=$3 collateral=${4:-}
arguments=(
    -nodefaults -no-user-config -display none -serial stdio -no-reboot
    -smp "${CPUS:-2}" -m "${MEMORY:-4G}"
    -kernel "$out/vmlinuz" -initrd "$out/initrd" -append "console=ttyS0 panic=-1 quiet"
    -fw_cfg "name=opt/org.meshx/edge,file=$edge"
    -netdev user,id=net
)
[ -z "$collateral" ] || arguments+=(-fw_cfg "name=opt/org.meshx/collateral,file=$collateral")
# In a TEE devices see only memory that the guest shares, and option ROMs of the host have no place.
card=virtio-net-pci,netdev=net,romfile=,disable-legacy=on,iommu_platform=on
case $kind in
    plain)
        # ACCEL=kvm where /dev/kvm works; FIRMWARE=OVMF.fd boots by UEFI, as the others do.
        arguments+=(-machine q35 -accel "${ACCEL:-tcg}" -cpu max -device virtio-net-pci,netdev=net,romfile=)
        [ -z "${FIRMWARE:-}" ] || arguments+=(-bios "$FIRMWARE")
        ;;
    snp)
        # QEMU 9.1 or later. kernel-hashes puts the hashes of kernel, initrd and command line into measured memory;
        # the firmware must be one that checks them (OvmfPkg/AmdSev). The policy forbids debugging.
        arguments+=(
            -accel kvm -cpu EPYC-v4 -machine q35,confidential-guest-support=sev0,memory-backend=ram
            -object "memory-backend-memfd,id=ram,size=${MEMORY:-4G},share=true"
            -object sev-snp-guest,id=sev0,policy=0x30000,cbitpos=51,reduced-phys-bits=1,kernel-hashes=on
            -bios "$FIRMWARE" -device "$card"
        )
        ;;
    tdx)
        # QEMU 10.1 or later, with the quote generation service of Intel's DCAP listening on the host.
        quotes='"quote-generation-socket":{"type":"unix","path":"/var/run/tdx-qgs/qgs.socket"}'
        arguments+=(
            -accel kvm -cpu host -machine q35,kernel-irqchip=split,confidential-guest-support=tdx0
            -object "{\"qom-type\":\"tdx-guest\",\"id\":\"tdx0\",$quotes}"
            -bios "$FIRMWARE" -device "$card"
        )
        ;;
    *)
        echo "run.sh: plain, snp or tdx, not $kind" >&2
        exit 2
        ;;
esac
exec "${QEMU:-qemu-system-x86_64}" "${arguments[@]}"
