"""Asks KVM on this host what a guest's ptp_kvm driver would ask: KVM_HC_CLOCK_PAIRING, hypercall 9.

A guest of 20 bytes in real mode makes the call and halts. KVM answers 0 when the host's timekeeping is based on the
TSC, and -95 (KVM_EOPNOTSUPP) when it is not; then no microVM here gets a /dev/ptp0. See arch/x86/kvm/x86.c,
kvm_pv_clock_pairing, and drivers/ptp/ptp_kvm_x86.c in Linux.

Prints "available" or "unavailable <why>" and exits with 0; anything else is an error: the answer is unknown.
Python 2.7 (Amazon Linux 2) and 3, standard library only.
"""
import array
import fcntl
import mmap
import os
import struct
import sys

# ioctl numbers of <linux/kvm.h> on x86-64.
KVM_GET_API_VERSION = 0xAE00
KVM_CREATE_VM = 0xAE01
KVM_GET_VCPU_MMAP_SIZE = 0xAE04
KVM_GET_SUPPORTED_CPUID = 0xC008AE05
KVM_CREATE_VCPU = 0xAE41
KVM_SET_USER_MEMORY_REGION = 0x4020AE46
KVM_RUN = 0xAE80
KVM_GET_REGS = 0x8090AE81
KVM_SET_REGS = 0x4090AE82
KVM_GET_SREGS = 0x8138AE83
KVM_SET_SREGS = 0x4138AE84
KVM_SET_CPUID2 = 0x4008AE90

KVM_EXIT_HLT = 5
KVM_EOPNOTSUPP = -95

PAGE = 0x1000
MEMORY = 0x4000
CODE = 0x1000  # where the guest starts
PAIRING = 0x2000  # where KVM writes the clock pairing: seconds, nanoseconds, tsc

SREGS_SIZE = 0x138
REGS_RAX, REGS_RIP, REGS_RFLAGS, REGS_COUNT = 0, 16, 17, 18


def guest_code(vendor):
    """mov eax, 9; mov ebx, PAIRING; xor ecx, ecx (CLOCK_REALTIME); vmcall or vmmcall; hlt."""
    hypercall = b"\x0f\x01\xd9" if vendor in ("AuthenticAMD", "HygonGenuine") else b"\x0f\x01\xc1"
    return b"\x66\xb8\x09\0\0\0" + b"\x66\xbb" + struct.pack("<I", PAIRING) + b"\x66\x31\xc9" + hypercall + b"\xf4"


def zeros(size):
    """An array, because Python 2.7 lets the kernel write into no bytearray."""
    return array.array("B", [0]) * size


def cpu_vendor():
    with open("/proc/cpuinfo") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("vendor_id"):
                return line.split(":")[1].strip()
    raise RuntimeError("no vendor_id in /proc/cpuinfo: not an x86 processor")


def clock_pairing(device):
    """Returns the hypercall's status and the seconds that KVM wrote for the guest."""
    kvm = os.open(device, os.O_RDWR)
    if fcntl.ioctl(kvm, KVM_GET_API_VERSION) != 12:
        raise RuntimeError("%s does not speak version 12 of the KVM API" % device)
    vm = fcntl.ioctl(kvm, KVM_CREATE_VM, 0)

    # An array tells its address, for which ctypes would double the time that this program takes.
    memory = zeros(MEMORY + PAGE)
    address = memory.buffer_info()[0]
    start = -address % PAGE
    fcntl.ioctl(vm, KVM_SET_USER_MEMORY_REGION, struct.pack("<IIQQQ", 0, 0, 0, MEMORY, address + start))
    code = guest_code(cpu_vendor())
    struct.pack_into("%ds" % len(code), memory, start + CODE, code)

    vcpu = fcntl.ioctl(vm, KVM_CREATE_VCPU, 0)
    run = mmap.mmap(vcpu, fcntl.ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), mmap.MAP_SHARED)

    # Without CPUID the vCPU has no KVM features, and KVM would not take the hypercall.
    cpuid = zeros(8 + 40 * 256)
    struct.pack_into("<I", cpuid, 0, 256)
    fcntl.ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid)
    fcntl.ioctl(vcpu, KVM_SET_CPUID2, cpuid)

    sregs = zeros(SREGS_SIZE)
    fcntl.ioctl(vcpu, KVM_GET_SREGS, sregs, True)
    struct.pack_into("<Q", sregs, 0, 0)  # cs.base
    struct.pack_into("<H", sregs, 12, 0)  # cs.selector
    fcntl.ioctl(vcpu, KVM_SET_SREGS, sregs)

    regs = [0] * REGS_COUNT
    regs[REGS_RIP] = CODE
    regs[REGS_RFLAGS] = 2  # the bit that is always set
    fcntl.ioctl(vcpu, KVM_SET_REGS, struct.pack("<%dQ" % REGS_COUNT, *regs))
    fcntl.ioctl(vcpu, KVM_RUN, 0)

    exit_reason = struct.unpack_from("<I", run, 8)[0]
    if exit_reason != KVM_EXIT_HLT:
        raise RuntimeError("the probe's guest ended with KVM exit reason %d instead of a halt" % exit_reason)
    after = zeros(8 * REGS_COUNT)
    fcntl.ioctl(vcpu, KVM_GET_REGS, after, True)
    status = struct.unpack_from("<i", after, 8 * REGS_RAX)[0]
    seconds = struct.unpack_from("<q", memory, start + PAIRING)[0]
    return status, seconds


def main():
    status, seconds = clock_pairing(sys.argv[1] if len(sys.argv) > 1 else "/dev/kvm")
    if status == 0 and seconds > 0:
        print("available")
    elif status == 0:
        print("unavailable KVM answered the clock-pairing hypercall without a time")
    elif status == KVM_EOPNOTSUPP:
        print("unavailable KVM refuses the clock-pairing hypercall: not supported (-95)")
    else:
        print("unavailable KVM refuses the clock-pairing hypercall: status %d" % status)


if __name__ == "__main__":
    main()
