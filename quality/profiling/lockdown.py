"""A process that reads a stranger's file gives its powers away first: memory, time, files it may write, network, programs."""

import ctypes
import platform
import resource
import struct
import sys

from quality.profiling import limits

WRITTEN_BYTES = 2 * limits.DECOMPRESSED_BYTES
FORBIDDEN = {
    "x86_64": (0xC000003E, {"socket": 41, "connect": 42, "bind": 49, "execve": 59, "execveat": 322, "ptrace": 101, "mount": 165, "bpf": 321}),
    "aarch64": (0xC00000B7, {"socket": 198, "connect": 203, "bind": 200, "execve": 221, "execveat": 281, "ptrace": 117, "mount": 40, "bpf": 280}),
}
EVENTS = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pickle.find_class", "urllib.", "ftplib.", "smtplib.")


def lock(seconds: int = limits.SECONDS, memory: int = limits.MEMORY_BYTES) -> dict:
    """Lock this process down for good; which of the locks the system granted."""
    for kind, bound in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, seconds + 10),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, WRITTEN_BYTES),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (bound, bound))
    filtered = _filter_calls()
    sys.addaudithook(_refuse)
    return {"limits": True, "system_calls": filtered, "events": True}


def _refuse(event: str, arguments) -> None:
    if event.startswith(EVENTS):
        raise PermissionError(f"{event} is not allowed in the process that reads samples")


def _filter_calls() -> bool:
    """No sockets and no programs, by seccomp; native code cannot step around it. False where the system has no such filter."""
    if sys.platform != "linux" or platform.machine() not in FORBIDDEN:
        return False
    architecture, numbers = FORBIDDEN[platform.machine()]
    load, jump_equal, answer = 0x20, 0x15, 0x06
    refused = sorted(numbers.values())
    program = [(load, 0, 0, 4), (jump_equal, 1, 0, architecture), (answer, 0, 0, 0x7FFF0000), (load, 0, 0, 0)]
    program += [(jump_equal, len(refused) - position, 0, number) for position, number in enumerate(refused)]
    program += [(answer, 0, 0, 0x7FFF0000), (answer, 0, 0, 0x00050000 | 1)]  # allow; EPERM
    packed = b"".join(struct.pack("HBBI", *row) for row in program)
    buffer = ctypes.create_string_buffer(packed)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(38, 1, 0, 0, 0):  # no new privileges, for this and every child
        return False
    return library.prctl(22, 2, ctypes.byref(Program(len(program), ctypes.addressof(buffer)))) == 0
