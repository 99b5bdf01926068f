/** A root filesystem in a temporary folder, with a neighbour that nothing may touch. */
import { Rootfs } from "../../src/rootfs/rootfs.ts";
import { closeFile, createFile, writeFile } from "../../src/sys/file.ts";
import { changeMode, makeDirectory } from "../../src/sys/inode.ts";
import { libc } from "../../src/sys/libc.ts";
import { type RawPath, rawPath } from "../../src/sys/raw_path.ts";
import { AT_CWD } from "../../src/sys/stat.ts";

libc(); // Stays open for the process's life, so it is opened outside of any test: Deno 2.4 would call it a leak of that one.

/** Lives until disposed of. The root is `<base>/root`, the neighbour `<base>/outside` with a file `secret`. */
export class TempRoot implements Disposable {
  readonly base: string = Deno.makeTempDirSync({ prefix: "kiln-root-" });
  readonly rootfs: Rootfs;
  /** The root's folder on the machine. */
  readonly path: string = `${this.base}/root`;

  constructor(protectedPaths: readonly string[] = []) {
    Deno.mkdirSync(this.path);
    Deno.mkdirSync(`${this.base}/outside`);
    Deno.writeTextFileSync(`${this.base}/outside/secret`, "secret");
    this.rootfs = new Rootfs(rawPath(this.path), protectedPaths.map(rawPath));
  }

  /** Makes a file with its missing parents. */
  file(inner: string, text = "", mode = 0o644): void {
    Deno.mkdirSync(this.host(inner).replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(this.host(inner), text);
    Deno.chmodSync(this.host(inner), mode);
  }

  directory(inner: string, mode = 0o755): void {
    Deno.mkdirSync(this.host(inner), { recursive: true });
    Deno.chmodSync(this.host(inner), mode);
  }

  symlink(inner: string, target: string): void {
    Deno.symlinkSync(target, this.host(inner));
  }

  host(inner: string): string {
    return this.path + inner;
  }

  text(inner: string): string {
    return Deno.readTextFileSync(this.host(inner));
  }

  /** Whether there is a node, a dangling symlink included. */
  has(inner: string): boolean {
    return this.rootfs.lstat(rawPath(inner)) !== undefined;
  }

  /** The neighbour's state: names and the secret. */
  outside(): string {
    const names = [...Deno.readDirSync(`${this.base}/outside`)].map((entry) => entry.name);
    const around = [...Deno.readDirSync(this.base)].map((entry) => entry.name).sort();
    return `${around} ${names} ${Deno.readTextFileSync(`${this.base}/outside/secret`)}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.base, { recursive: true });
  }
}

/** The state of an untouched neighbour. */
export const UNTOUCHED = "outside,root secret secret";

/** Makes a file of raw bytes at a path of raw bytes on the machine. */
export function writeRaw(host: RawPath, bytes: Uint8Array, mode = 0o644): void {
  const fd = createFile(AT_CWD, host, 0o600);
  try {
    writeFile(fd, bytes, host);
  } finally {
    closeFile(fd);
  }
  changeMode(AT_CWD, host, mode);
}

/** Makes a directory at a path of raw bytes on the machine. */
export function makeRawDirectory(host: RawPath, mode = 0o755): void {
  makeDirectory(AT_CWD, host, 0o700);
  changeMode(AT_CWD, host, mode);
}
