/** The executor image: built by kiln itself from the project's Dockerfile, it holds what it must and runs in a pod. */
import { deepEqual, equal, match } from "node:assert/strict";
import { debianLayout, pushDebian } from "../support/debian_base.ts";
import { type PodImage, runPod } from "../support/pod.ts";
import { startRegistry } from "../support/registry_process.ts";
import { mustRun } from "../support/run_command.ts";
import { ensureBinaries, ensurePackages } from "../support/set_up.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const PROJECT_ROOT = new URL("../../", import.meta.url).pathname;
const LOADER = Deno.build.arch === "aarch64" ? "ld-linux-aarch64.so.1" : "ld-linux-x86-64.so.2";

async function executorParts(): Promise<PodImage> {
  await ensurePackages();
  const { executor, libraries } = await ensureBinaries();
  return { kind: "parts", executor, libraries };
}

Deno.test("executor starts when its root holds libraries and a preload list of somebody else", async () => {
  const broken = "not a library\n";
  const ended = await runPod({
    image: await executorParts(),
    args: ["version"],
    env: { LD_LIBRARY_PATH: "/usr/lib/x86_64-linux-gnu" },
    files: {
      "/etc/ld.so.preload": "/usr/lib/x86_64-linux-gnu/libc.so.6\n",
      "/etc/ld.so.cache": broken,
      "/usr/lib/x86_64-linux-gnu/libc.so.6": broken,
      "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1": broken,
    },
  });
  deepEqual([ended.code, ended.stderr], [0, ""]);
  match(ended.stdout, /\d+\.\d+\.\d+/);
});

Deno.test("kiln builds its own executor image, and the image runs in a pod", async () => {
  await executorParts();
  const { kiln } = await ensureBinaries();
  await using registry = await startRegistry();
  await pushDebian(registry);
  await using work = await makeTempDir();
  const layout = `${work.path}/image`;
  await mustRun([
    kiln,
    "--isolation=chroot",
    `--context=dir://${PROJECT_ROOT}`,
    `--dockerfile=${PROJECT_ROOT}Dockerfile`,
    `--build-arg=BASE=${registry.host}/debian:bookworm`,
    "--insecure-pull",
    "--no-push",
    "--destination=kiln:latest",
    `--oci-layout-path=${layout}`,
  ], { timeoutMs: 300_000 });

  await mustRun(["umoci", "unpack", "--image", `${layout}:latest`, `${work.path}/bundle`]);
  const listed = await mustRun(["find", ".", "-mindepth", "1"], { cwd: `${work.path}/bundle/rootfs` });
  const paths = listed.trim().split("\n").sort();
  const fixed = ["./kaniko", "./kaniko/.docker", "./kaniko/executor", "./kaniko/lib", "./workspace"];
  deepEqual(paths.filter((path) => !path.startsWith("./kaniko/lib/")), fixed);
  equal(paths.includes(`./kaniko/lib/${LOADER}`), true);

  const { config } = JSON.parse(await mustRun(["skopeo", "inspect", "--config", `oci:${layout}:latest`]));
  deepEqual([config.Entrypoint, config.WorkingDir], [["/kaniko/executor"], "/workspace"]);
  equal(config.Env.includes("DOCKER_CONFIG=/kaniko/.docker/"), true);

  const ended = await runPod({ image: { kind: "layout", layout, tag: "latest" }, args: ["version"] });
  deepEqual([ended.code, ended.stderr], [0, ""]);
});

Deno.test("the Debian base runs in a pod", async () => {
  await ensurePackages();
  const image: PodImage = { kind: "layout", layout: await debianLayout(), tag: "latest" };
  const ended = await runPod({ image, entrypoint: ["/bin/sh"], args: ["-c", "cat /etc/debian_version; id -u"] });
  match(ended.stdout, /^12\.\d+\n0\n$/);
});
