/**
 * The mount table of a process, as /proc/<pid>/mountinfo tells it. Paths are bytes: the kernel writes blanks, tabs, newlines
 * and backslashes as octal escapes, everything else as it is. Source: proc(5), mountinfo.
 */
import { FormatError } from "../errors.ts";
import { pathText, type RawPath, rawPathFromBytes } from "./raw_path.ts";

/** One mount. */
export interface MountPoint {
  readonly id: number;
  readonly parentId: number;
  /** "major:minor" of the device that files below it have. */
  readonly device: string;
  /** The directory of the file system that is mounted: "/" unless it is a bind mount of a part. */
  readonly root: RawPath;
  /** Where it is mounted: absolute, relative to the process's root. */
  readonly path: RawPath;
  /** Options of this mount, such as "ro" and "nosuid". */
  readonly options: readonly string[];
  /** Type of the file system, such as "overlay". */
  readonly type: string;
  /** What was mounted, such as a device; "none" where there is nothing. */
  readonly source: RawPath;
}

/**
 * The mounts that a mountinfo text lists, in its order (a later one hides an earlier one of the same path).
 * Throws FormatError naming the line that is not understood.
 */
export function parseMountInfo(bytes: Uint8Array): readonly MountPoint[] {
  return rawPathFromBytes(bytes).split("\n").filter((line) => line !== "").map(parseLine);
}

/** The mounts of the process `pid`, by default our own. */
export function readMountInfo(pid: number | "self" = "self"): readonly MountPoint[] {
  return parseMountInfo(Deno.readFileSync(`/proc/${pid}/mountinfo`));
}

function parseLine(line: string, index: number): MountPoint {
  const fields = line.split(" ");
  const separator = fields.indexOf("-", 6);
  const [id, parentId, device, root, path, options] = fields;
  const [type, source] = fields.slice(separator + 1);
  if (
    separator < 0 || device === undefined || root === undefined || path === undefined || options === undefined ||
    type === undefined || !/^\d+$/.test(id ?? "") || !/^\d+$/.test(parentId ?? "")
  ) {
    throw new FormatError(`Cannot read the mount table: line ${index + 1} is "${pathText(line as RawPath)}"`);
  }
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescapeOctal(root),
    path: unescapeOctal(path),
    options: options.split(","),
    type,
    source: unescapeOctal(source ?? "none"),
  };
}

function unescapeOctal(text: string): RawPath {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8))) as RawPath;
}
