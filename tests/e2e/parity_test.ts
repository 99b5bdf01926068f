/**
 * The main job: one Dockerfile with everything that packages do, built in a pod and on a host. Same layers in both and in
 * every repetition; skopeo, umoci and runc read the result, and the files that umoci unpacks are those that the steps made.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { readXattrs } from "../../src/sys/inode.ts";
import { rawPath } from "../../src/sys/raw_path.ts";
import { type BuildWorld, hubFlags, startBuildWorld } from "../support/build_world.ts";
import { assertCleanEnd } from "../support/clean_end.ts";
import { runPod } from "../support/pod.ts";
import { inspectConfig, inspectDigests, unpackLayout } from "../support/read_image.ts";
import { mustRun, runCommand, say } from "../support/run_command.ts";
import { listTree, parseTreeListing, treeDifferences } from "../support/tree_listing.ts";

const FIXTURE = new URL("../../fixtures/builds/debian_tree/", import.meta.url).pathname;
/** struct vfs_cap_data, version 2 with the effective bit, of CAP_NET_BIND_SERVICE. */
const CAPABILITY = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

Deno.test("a Debian image is the same from a pod and from a host, and other programs read what the steps made", async (t) => {
  await using world = await startBuildWorld({ hasDebian: true });
  const context = await makeContext(world);
  const image = `${world.registry.host}/parity/pod:1`;
  let layout = "";
  let printed = "";
  await t.step("builds on a host, twice, to the same layers", async () => {
    const first = await buildOnHost(world, context);
    const second = await buildOnHost(world, context);
    deepEqual(
      (await inspectDigests(`oci:${second.layout}:latest`)).layers,
      (await inspectDigests(`oci:${first.layout}:latest`)).layers,
    );
    layout = first.layout;
    printed = first.stderr;
  });
  await t.step("builds in a pod to the same layers", async () => {
    const ended = await runPod({
      image: world.podImage,
      args: [...hubFlags(world.registry), "--log-format=text", `--destination=${image}`],
      workspace: context,
      env: { container: "oci" },
    });
    equal(ended.code, 0, ended.stderr.slice(-3000));
    const mb = (bytes: number | undefined): string => bytes === undefined ? "?" : `${Math.round(bytes / 1e6)} MB`;
    const { durationMs, peakRssBytes, peakCgroupBytes } = ended;
    say(
      `in the pod: ${durationMs} ms, peak ${mb(peakRssBytes)} (executor), ${
        mb(peakCgroupBytes)
      } (all, with page cache)`,
    );
    const inPod = await inspectConfig(`docker://${image}`, ["--tls-verify=false"]);
    const onHost = await inspectConfig(`oci:${layout}:latest`);
    deepEqual(inPod.rootfs.diff_ids, onHost.rootfs.diff_ids);
    deepEqual(inPod.config, onHost.config);
    deepEqual(treeDifferences(await parseTreeListing(ended.stderr), await parseTreeListing(printed)), []);
  });
  await t.step("umoci unpacks what the steps made", () => checkUnpacked(layout, printed));
  await t.step("runc runs it", () => checkRuns(layout, world.folder));
});

/** A copy of the fixture's context with its Dockerfile in it, whose times do not depend on the checkout. */
async function makeContext(world: BuildWorld): Promise<string> {
  const context = `${world.folder}/parity-context`;
  await mustRun(["cp", "-a", `${FIXTURE}context`, context]);
  await mustRun(["cp", `${FIXTURE}Dockerfile`, context]);
  await mustRun(["find", context, "-exec", "touch", "-h", "-d", "@1600000000", "{}", "+"]);
  return context;
}

async function buildOnHost(world: BuildWorld, context: string): ReturnType<BuildWorld["build"]> {
  const built = await world.build({ args: [`--context=${context}`] });
  equal(built.code, 0, built.stderr.slice(-3000));
  await assertCleanEnd(built, { mayHaveLayout: true });
  return built;
}

async function checkUnpacked(layout: string, printed: string): Promise<void> {
  await using image = await unpackLayout(layout);
  const unpacked = await listTree(image.root);
  ok(unpacked.size > 5000, `only ${unpacked.size} nodes`);
  for (const path of ["srv/tree/caf\xe9 \xff", "srv/tree/new\nline", "srv/tree/folder \x80", "var/lib/demo"]) {
    ok(unpacked.has(path), JSON.stringify(path));
  }
  for (const path of ["etc/issue.net", "srv/tree/b", "kaniko", "workspace"]) ok(!unpacked.has(path), path);
  deepEqual(treeDifferences(unpacked, await parseTreeListing(printed)), []);
  deepEqual([...readXattrs(rawPath(`${image.root}/srv/tree/capable`)).get("security.capability") ?? []], CAPABILITY);
}

/** Runs the image as umoci prepares it: user, working directory and command are those of the image's config. */
async function checkRuns(layout: string, folder: string): Promise<void> {
  const bundle = `${folder}/bundle`;
  await mustRun(["umoci", "unpack", "--image", `${layout}:latest`, bundle]);
  const config = JSON.parse(await Deno.readTextFile(`${bundle}/config.json`));
  const process = { ...config.process, terminal: false };
  await Deno.writeTextFile(`${bundle}/config.json`, JSON.stringify({ ...config, process }));
  const ran = await runCommand(["runc", "--root", `${folder}/runc`, "run", "--bundle", bundle, "kiln-parity"]);
  deepEqual([ran.code, ran.stderr], [0, ""]);
  equal(ran.stdout, "1234:5678 0022 /\ntext of the context\n1234\none\ntwo\n");
}
