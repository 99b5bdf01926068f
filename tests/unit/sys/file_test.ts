import { deepEqual, equal, throws } from "node:assert/strict";
import {
  changeModeOfFile,
  closeFile,
  createFile,
  openDirectory,
  openDirectoryPath,
  openFileForReading,
  readFile,
  setFileSize,
  setOwnerAndMode,
  skipInFile,
  writeFile,
} from "../../../src/sys/file.ts";
import { makeNode, symlink } from "../../../src/sys/inode.ts";
import { type RawPath, rawPath } from "../../../src/sys/raw_path.ts";
import { AT_CWD, fstat, lstat } from "../../../src/sys/stat.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

async function inFolder(body: (at: (name: string) => RawPath) => void): Promise<void> {
  await using folder = await makeTempDir();
  body((name) => rawPath(`${folder.path}/${name}`));
}

/** Opens, lets `body` work and closes. */
function withFile<T>(fd: number, body: (fd: number) => T): T {
  try {
    return body(fd);
  } finally {
    closeFile(fd);
  }
}

Deno.test("createFile and readFile give the bytes back", () =>
  inFolder((at) => {
    const bytes = crypto.getRandomValues(new Uint8Array(5000));
    withFile(createFile(AT_CWD, at("f"), 0o600), (fd) => writeFile(fd, bytes));
    const buffer = new Uint8Array(6000);
    const counts = withFile(openFileForReading(AT_CWD, at("f")), (fd) => [readFile(fd, buffer), readFile(fd, buffer)]);
    deepEqual(counts, [5000, 0]);
    deepEqual(buffer.subarray(0, 5000), bytes);
  }));

Deno.test("createFile refuses whatever is there already", () =>
  inFolder((at) => {
    symlink(AT_CWD, at("dangling"), at("target"));
    throws(() => createFile(AT_CWD, at("dangling"), 0o600), { errnoName: "EEXIST" });
    equal(lstat(at("target")), undefined);
  }));

Deno.test("opening refuses symlinks and does not block on a fifo", () =>
  inFolder((at) => {
    symlink(AT_CWD, at("l"), rawPath("/etc"));
    throws(() => openFileForReading(AT_CWD, at("l")), { errnoName: "ELOOP" });
    throws(() => openDirectory(AT_CWD, at("l")), { errnoName: "ENOTDIR" });
    throws(() => openDirectoryPath(AT_CWD, at("l")), { errnoName: "ENOTDIR" });
    makeNode(AT_CWD, at("fifo"), { type: "fifo", mode: 0o600, rdevMajor: 0, rdevMinor: 0 });
    equal(withFile(openFileForReading(AT_CWD, at("fifo")), (fd) => fstat(fd).type), "fifo");
  }));

Deno.test("setOwnerAndMode keeps setuid, which a later change of owner would clear", () =>
  inFolder((at) => {
    withFile(createFile(AT_CWD, at("f"), 0o600), (fd) => {
      setOwnerAndMode(fd, 12, 34, 0o4755);
      deepEqual([fstat(fd).uid, fstat(fd).gid, fstat(fd).mode], [12, 34, 0o4755]);
      changeModeOfFile(fd, 0o600);
      equal(fstat(fd).mode, 0o600);
    });
  }));

Deno.test("skipInFile and setFileSize leave zeros", () =>
  inFolder((at) => {
    withFile(createFile(AT_CWD, at("f"), 0o600), (fd) => {
      skipInFile(fd, 4);
      writeFile(fd, new Uint8Array([7]));
      setFileSize(fd, 7);
    });
    deepEqual(Deno.readFileSync(at("f")), new Uint8Array([0, 0, 0, 0, 7, 0, 0]));
  }));

Deno.test("writeFile and readFile name the path when the descriptor is refused", () => {
  throws(() => writeFile(-1, new Uint8Array(1), rawPath("/x")), { errnoName: "EBADF", message: /write to "\/x"/ });
  throws(() => readFile(-1, new Uint8Array(1), rawPath("/x")), { errnoName: "EBADF", message: /read "\/x"/ });
});
