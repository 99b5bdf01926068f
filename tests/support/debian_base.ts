/**
 * The base images of the end-to-end tests, made on this machine: Debian bookworm from its packages (about 25 s, then kept
 * in `.work/bases`) and a small one from the static busybox.
 */
import { pushLayout, writeBaseLayout } from "./base_image.ts";
import { pathExists } from "./path_exists.ts";
import type { RegistryProcess } from "./registry_process.ts";
import { mustRun } from "./run_command.ts";
import { ensurePackages } from "./set_up.ts";
import { makeTempDir } from "./temp_dir.ts";

const BASES_FOLDER = new URL("../../.work/bases", import.meta.url).pathname;
const CREATED = "2026-01-01T00:00:00Z";
const CREATED_EPOCH_S = 1_767_225_600;
const PATH_ENV = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Names under which {@link pushDebian} and {@link pushBusybox} store the images: as written, and as Docker Hub normalises them. */
export const DEBIAN_NAMES: readonly string[] = ["debian:bookworm", "library/debian:bookworm"];
/** See {@link DEBIAN_NAMES}. */
export const BUSYBOX_NAMES: readonly string[] = ["busybox:latest", "library/busybox:latest"];

/** Puts Debian bookworm (minbase) into a registry. */
export async function pushDebian(registry: RegistryProcess, names: readonly string[] = DEBIAN_NAMES): Promise<void> {
  await pushLayout(await debianLayout(), registry, names);
}

/** Puts a busybox image into a registry. */
export async function pushBusybox(registry: RegistryProcess, names: readonly string[] = BUSYBOX_NAMES): Promise<void> {
  await pushLayout(await busyboxLayout(), registry, names);
}

/** Path of an OCI layout (image `latest`) with Debian bookworm, made at the first call. */
export async function debianLayout(): Promise<string> {
  return await cachedLayout("debian-bookworm", ["mmdebstrap"], ["/bin/bash"], async (tarPath) => {
    const skips = ["--skip=output/dev", "--skip=check/empty"];
    const env = { SOURCE_DATE_EPOCH: String(CREATED_EPOCH_S) };
    await mustRun(["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", ...skips, "bookworm", tarPath], {
      env,
    });
  });
}

/** Path of an OCI layout (image `latest`) with the static busybox and all its applets as hard links, made at the first call. */
export async function busyboxLayout(): Promise<string> {
  return await cachedLayout("busybox", ["busybox-static"], ["sh"], writeBusyboxTar);
}

async function cachedLayout(
  name: string,
  packages: readonly string[],
  cmd: readonly string[],
  writeTar: (tarPath: string) => Promise<void>,
): Promise<string> {
  const layout = `${BASES_FOLDER}/${name}`;
  await Deno.mkdir(BASES_FOLDER, { recursive: true });
  using lock = await Deno.open(`${BASES_FOLDER}/${name}.lock`, { write: true, create: true });
  await lock.lock(true);
  if (await pathExists(`${layout}/oci-layout`)) return layout;
  await ensurePackages(packages);
  await using work = await makeTempDir(BASES_FOLDER);
  await writeTar(`${work.path}/root.tar`);
  await writeBaseLayout(`${work.path}/layout`, `${work.path}/root.tar`, { env: [PATH_ENV], cmd, created: CREATED });
  await Deno.rename(`${work.path}/layout`, layout);
  return layout;
}

async function writeBusyboxTar(tarPath: string): Promise<void> {
  await using tree = await makeTempDir();
  const root = tree.path;
  for (const folder of ["bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr/bin", "var/www"]) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  await Deno.chmod(root, 0o755);
  await Deno.chmod(`${root}/tmp`, 0o1777);
  await Deno.chmod(`${root}/root`, 0o700);
  await Deno.copyFile("/bin/busybox", `${root}/bin/busybox`);
  for (const applet of (await mustRun(["/bin/busybox", "--list"])).trim().split("\n")) {
    if (applet !== "busybox") await Deno.link(`${root}/bin/busybox`, `${root}/bin/${applet}`);
  }
  await Deno.symlink("../../bin/env", `${root}/usr/bin/env`);
  await Deno.writeTextFile(
    `${root}/etc/passwd`,
    "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
  );
  await Deno.writeTextFile(
    `${root}/etc/group`,
    "root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nusers:x:100:www-data\nnogroup:x:65534:\n",
  );
  const stable = ["--sort=name", "--numeric-owner", "--owner=0", "--group=0", `--mtime=@${CREATED_EPOCH_S}`];
  await mustRun(["tar", "--create", "--format=gnu", ...stable, `--file=${tarPath}`, `--directory=${root}`, "."]);
}
