/** The devices that every container has, mode 0666 each. Source: runtime-spec, default devices. */

/** A character device. */
export interface DeviceNode {
  /** Its name in /dev. */
  readonly name: string;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
}

/** null, zero, full, random, urandom and tty. */
export const DEVICE_NODES: readonly DeviceNode[] = [
  { name: "null", rdevMajor: 1, rdevMinor: 3 },
  { name: "zero", rdevMajor: 1, rdevMinor: 5 },
  { name: "full", rdevMajor: 1, rdevMinor: 7 },
  { name: "random", rdevMajor: 1, rdevMinor: 8 },
  { name: "urandom", rdevMajor: 1, rdevMinor: 9 },
  { name: "tty", rdevMajor: 5, rdevMinor: 0 },
];
