/** The loopback device of a network namespace, which is down when the namespace is new. Source: netdevice(7). */
import { closeFile } from "./file.ts";
import { check, libc } from "./libc.ts";

const AF_INET = 2n;
const SOCK_DGRAM_CLOEXEC = 0o2000002n;
const SIOCSIFFLAGS = 0x8914n;
const IFREQ_BYTES = 40;
const IFF_UP_AND_RUNNING = 0x41;
const FLAGS_OFFSET = 16;

/** Switches `lo` of the calling thread's network namespace on. Throws SystemError. */
export function bringLoopbackUp(): void {
  const isArm = Deno.build.arch === "aarch64";
  const socket = check(Number(libc().syscall(isArm ? 198n : 41n, AF_INET, SOCK_DGRAM_CLOEXEC, 0n)), "socket");
  try {
    const request = new Uint8Array(IFREQ_BYTES);
    request.set(new TextEncoder().encode("lo"));
    new DataView(request.buffer).setUint16(FLAGS_OFFSET, IFF_UP_AND_RUNNING, true);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(request));
    check(Number(libc().syscall(isArm ? 29n : 16n, BigInt(socket), SIOCSIFFLAGS, address)), "ioctl");
  } finally {
    closeFile(socket);
  }
}
