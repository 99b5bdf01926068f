/**
 * Linux capabilities of the calling thread, by raw system calls: which ones a command may have is decided here.
 * A set is a bigint with one bit a capability. Source: capabilities(7), capget(2).
 */
import { check, libc, SystemError, systemError } from "./libc.ts";

/** Numbers of the capabilities that are named in this program. */
export const CAPABILITY = {
  DAC_OVERRIDE: 1,
  SETGID: 6,
  SETUID: 7,
  SYS_CHROOT: 18,
  SYS_ADMIN: 21,
} as const;

/**
 * What docker gives to a container: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
 * NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
 */
export const DOCKER_CAPABILITIES = 0xa80425fbn;

const CAPABILITY_VERSION_3 = 0x20080522;
const LAST_POSSIBLE_CAPABILITY = 63;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4n;

/** The three sets of a thread. */
export interface CapabilitySets {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

/** The sets of the calling thread. */
export function readCapabilities(): CapabilitySets {
  const words = new Uint32Array(6);
  callWithHeader(systemCallNumbers().capget, words, "capget");
  const join = (index: number): bigint => BigInt(words[index] ?? 0) | (BigInt(words[index + 3] ?? 0) << 32n);
  return { effective: join(0), permitted: join(1), inheritable: join(2) };
}

/** Sets the sets of the calling thread alone. */
export function writeCapabilities(sets: CapabilitySets): void {
  const order = [sets.effective, sets.permitted, sets.inheritable];
  const low = order.map((set) => Number(set & 0xffffffffn));
  const high = order.map((set) => Number(set >> 32n));
  callWithHeader(systemCallNumbers().capset, new Uint32Array([...low, ...high]), "capset");
}

/** Whether the calling thread may use the capability with this number. */
export function hasCapability(number: number): boolean {
  return (readCapabilities().effective >> BigInt(number)) % 2n === 1n;
}

/**
 * Takes everything that is not in `allowed` from what this thread, and all it executes, can ever have. Where dropping is
 * not permitted (no SETPCAP) the sets that we have already been limited to stay.
 */
export function limitCapabilities(allowed: bigint): void {
  for (let number = 0; number <= LAST_POSSIBLE_CAPABILITY; number++) {
    const isKnown = libc().prctl(PR_CAPBSET_READ, BigInt(number), 0n, 0n, 0n) >= 0;
    if (isKnown && (allowed >> BigInt(number)) % 2n === 0n) dropFromBoundingSet(number);
  }
  libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0n, 0n, 0n);
  const permitted = readCapabilities().permitted & allowed;
  writeCapabilities({ effective: permitted, permitted, inheritable: 0n });
}

function dropFromBoundingSet(number: number): void {
  if (libc().prctl(PR_CAPBSET_DROP, BigInt(number), 0n, 0n, 0n) >= 0) return;
  const error = systemError("prctl", undefined);
  if (!(error instanceof SystemError) || error.errnoName !== "EPERM") throw error;
}

function callWithHeader(number: bigint, words: Uint32Array<ArrayBuffer>, name: string): void {
  const header = new Uint32Array([CAPABILITY_VERSION_3, 0]);
  const result = libc().syscall(number, addressOf(header), addressOf(words), 0n);
  check(Number(result), name);
}

function addressOf(words: Uint32Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(words));
}

function systemCallNumbers(): { readonly capget: bigint; readonly capset: bigint } {
  return Deno.build.arch === "aarch64" ? { capget: 90n, capset: 91n } : { capget: 125n, capset: 126n };
}
