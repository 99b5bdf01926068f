/** The state of a root as text, one line a node, for comparing two of them. */
import { Sha256Hasher } from "../../src/oci/digest.ts";
import type { Rootfs } from "../../src/rootfs/rootfs.ts";
import { closeFile, openFileForReading, readFile } from "../../src/sys/file.ts";
import { readLink, readXattrs } from "../../src/sys/inode.ts";
import { joinPath, type RawPath } from "../../src/sys/raw_path.ts";
import { AT_CWD, type Inode, type StatBuffer } from "../../src/sys/stat.ts";
import { walk } from "../../src/sys/walk.ts";

const SECOND = 1_000_000_000n;

/** What is compared. */
export interface DescribeOptions {
  /** Whether times are cut to seconds, as a layer does. */
  readonly isCoarse?: boolean;
  /** Whether times of directories are left out: they alone are no change to a layer. */
  readonly hasNoDirectoryTimes?: boolean;
  /** Extended attributes that count; only the capability unless given. */
  readonly xattrs?: (name: string) => boolean;
}

/** One line a node but the root, in walk order: type, mode, owner, size, time, device, links, target, content, xattrs. */
export function describeTree(rootfs: Rootfs, options: DescribeOptions = {}): string[] {
  const lines: string[] = [];
  const firstNames = new Map<bigint, RawPath>();
  const parents: RawPath[] = ["/" as RawPath];
  walk(rootfs.path, {
    enter(name: RawPath, stat: StatBuffer): boolean {
      const inner = joinPath(parents.at(-1) ?? "" as RawPath, name);
      const node = stat.inode();
      const first = firstNames.get(node.ino) ?? inner;
      firstNames.set(node.ino, first);
      lines.push(
        `${JSON.stringify(inner)} ${describe(rootfs.hostPath(inner), node, options)} =${JSON.stringify(first)}`,
      );
      if (node.type === "directory") parents.push(inner);
      return true;
    },
    leave(): void {
      parents.pop();
    },
  });
  return lines;
}

function describe(host: RawPath, node: Inode, options: DescribeOptions): string {
  const { type, mode, uid, gid, mtimeNs, rdevMajor, rdevMinor } = node;
  const isTimeless = options.hasNoDirectoryTimes && type === "directory";
  const time = isTimeless ? "" : options.isCoarse ? floorSeconds(mtimeNs) : mtimeNs;
  const isWanted = options.xattrs ?? ((name: string): boolean => name === "security.capability");
  const xattrs = [...readXattrs(host)].filter(([name]) => isWanted(name)).map(([name, value]) =>
    `${name}=${[...value]}`
  );
  const content = type === "file" ? bodyDigest(host) : type === "symlink" ? JSON.stringify(readLink(AT_CWD, host)) : "";
  return `${type} ${mode.toString(8)} ${uid}:${gid} ${time} ${rdevMajor},${rdevMinor} ${content} ${xattrs.sort()}`;
}

function floorSeconds(timeNs: bigint): bigint {
  const fraction = ((timeNs % SECOND) + SECOND) % SECOND;
  return (timeNs - fraction) / SECOND;
}

function bodyDigest(host: RawPath): string {
  const fd = openFileForReading(AT_CWD, host);
  try {
    const buffer = new Uint8Array(1 << 16);
    const hasher = new Sha256Hasher();
    for (let length = readFile(fd, buffer); length > 0; length = readFile(fd, buffer)) {
      hasher.update(buffer.subarray(0, length));
    }
    return `${hasher.sizeBytes}:${hasher.digest().slice(7, 27)}`;
  } finally {
    closeFile(fd);
  }
}
