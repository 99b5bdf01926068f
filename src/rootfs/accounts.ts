/**
 * The users and groups that a rootfs's own /etc/passwd and /etc/group tell of. The files are the image's, so hostile: read
 * inside the root, bounded, lines that make no sense skipped. Source: passwd(5), group(5).
 */
import { FormatError } from "../errors.ts";
import { closeFile, openFileForReading, readFile } from "../sys/file.ts";
import { pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { AT_CWD, fstat } from "../sys/stat.ts";
import type { Rootfs } from "./rootfs.ts";

/** A line of passwd. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A line of group. */
export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Largest user or group id: the one above means "unchanged" to chown(2). */
export const MAX_ID = 0xfffffffe;
const MAX_FILE_BYTES = 10 << 20;
const READ_BYTES = 65536;

/** The accounts of the rootfs in file order; undefined when it has no passwd. Throws FormatError for a file that is no file or too large. */
export function readAccounts(rootfs: Rootfs): readonly Account[] | undefined {
  const text = readEtcFile(rootfs, rawPath("/etc/passwd"));
  return text === undefined ? undefined : parsePasswd(text);
}

/** The groups of the rootfs in file order; undefined when it has no group file. */
export function readGroups(rootfs: Rootfs): readonly Group[] | undefined {
  const text = readEtcFile(rootfs, rawPath("/etc/group"));
  return text === undefined ? undefined : parseGroupFile(text);
}

/** The accounts in the text of a passwd; lines without a name or with ids that are no numbers are skipped. */
export function parsePasswd(text: string): readonly Account[] {
  return fieldsOfLines(text).flatMap(([name = "", , uidText, gidText, , home = ""]) => {
    const uid = parseId(uidText);
    const gid = parseId(gidText);
    return name === "" || uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home }];
  });
}

/** The groups in the text of a group file; lines without a name or with an id that is no number are skipped. */
export function parseGroupFile(text: string): readonly Group[] {
  return fieldsOfLines(text).flatMap(([name = "", , gidText, list = ""]) => {
    const gid = parseId(gidText);
    const members = list.split(",").map((member) => member.trim()).filter((member) => member !== "");
    return name === "" || gid === undefined ? [] : [{ name, gid, members }];
  });
}

/** A decimal id, or undefined when `text` is none. */
export function parseId(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id > MAX_ID ? undefined : id;
}

function fieldsOfLines(text: string): readonly (readonly string[])[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").map((line) => line.split(":"));
}

function readEtcFile(rootfs: Rootfs, path: RawPath): string | undefined {
  const inner = rootfs.resolve(path, true);
  const node = rootfs.lstat(inner);
  if (node === undefined) return undefined;
  const fail = (reason: string): FormatError =>
    new FormatError(`Cannot look up users in "${pathText(path)}" of the image: ${reason}`);
  if (node.type !== "file") throw fail(`it is a ${node.type}, not a file`);
  const fd = openFileForReading(AT_CWD, rootfs.hostPath(inner));
  try {
    if (fstat(fd).type !== "file") throw fail("it is not a file");
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(READ_BYTES);
    let text = "";
    let total = 0;
    for (let count = readFile(fd, buffer, inner); count > 0; count = readFile(fd, buffer, inner)) {
      total += count;
      if (total > MAX_FILE_BYTES) throw fail("it is larger than 10 MiB");
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
    return text + decoder.decode();
  } finally {
    closeFile(fd);
  }
}
