/** Images that kiln has pushed, pulled by a tool that is none of ours. */
import { equal, match } from "node:assert/strict";
import { startBuildWorld } from "../support/build_world.ts";
import { ensurePackages } from "../support/set_up.ts";
import { mustRun } from "../support/run_command.ts";
import { makeTempDir } from "../support/temp_dir.ts";

Deno.test("buildah pulls what kiln has pushed and sees its config and files", async () => {
  await ensurePackages(["buildah"]);
  await using world = await startBuildWorld();
  await using storage = await makeTempDir();
  const image = `${world.registry.host}/readers/app:1`;
  const built = await world.build({
    dockerfile:
      "FROM busybox\nCOPY --chown=7:8 file /srv/file\nRUN chmod 4755 /srv/file && ln /srv/file /srv/link\nUSER 7\n",
    files: { file: "content" },
    args: [`--destination=${image}`],
    output: "by args",
  });
  equal(built.code, 0, built.stderr);
  const buildah = [
    "buildah",
    "--root",
    `${storage.path}/root`,
    "--runroot",
    `${storage.path}/run`,
    "--storage-driver",
    "vfs",
  ];
  await mustRun([...buildah, "pull", "--quiet", "--tls-verify=false", `docker://${image}`]);
  const container = (await mustRun([...buildah, "from", "--pull-never", image])).trim();
  const config = JSON.parse(await mustRun([...buildah, "inspect", "--type", "image", image]));
  equal(config.FromImageDigest, built.stdout.trim());
  equal(config.OCIv1.config.User, "7");
  const root = (await mustRun([...buildah, "mount", container])).trim();
  match(await mustRun(["stat", "-c", "%a %u:%g %h", `${root}/srv/link`]), /^4755 7:8 2$/m);
  equal(await Deno.readTextFile(`${root}/srv/file`), "content");
  await mustRun([...buildah, "rm", container]);
});
