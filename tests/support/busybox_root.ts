/** A rootfs folder with a static busybox, for tests that run commands in it. */
import { type RawPath, rawPath } from "../../src/sys/raw_path.ts";

/** The folder; disposing removes it. */
export interface BusyboxRoot extends AsyncDisposable {
  readonly path: string;
  readonly root: RawPath;
}

const APPLETS = (
  "sh cat echo env id ls sleep true false mkdir rm mv ln touch chmod stat head dd kill ps setsid test hostname wc tr grep " +
  "mknod mount umount readlink pwd printf seq yes sync chroot df"
).split(" ");

/** Makes a rootfs with /bin, /etc/passwd and /tmp, and without /proc, /dev and /sys. */
export async function makeBusyboxRoot(): Promise<BusyboxRoot> {
  const path = await Deno.makeTempDir({ prefix: "rootfs-" });
  await Deno.chmod(path, 0o755);
  for (const name of ["bin", "etc", "tmp", "work"]) await Deno.mkdir(`${path}/${name}`, { mode: 0o755 });
  await Deno.chmod(`${path}/tmp`, 0o1777);
  await Deno.copyFile("/bin/busybox", `${path}/bin/busybox`);
  await Deno.chmod(`${path}/bin/busybox`, 0o755);
  for (const applet of APPLETS) await Deno.symlink("busybox", `${path}/bin/${applet}`);
  await Deno.writeTextFile(`${path}/etc/passwd`, "root:x:0:0:root:/root:/bin/sh\n");
  return {
    path,
    root: rawPath(path),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
