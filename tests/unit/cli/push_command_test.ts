import { equal, match, ok } from "node:assert/strict";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { PUSH_COMMAND } from "../../../src/cli/push_command.ts";
import { saveToLayout, writeDockerArchive } from "../../../src/image/archive.ts";
import { encodeImage } from "../../../src/image/image.ts";
import { runCli, serveRegistry } from "../../support/cli_world.ts";
import { memoryImage, memoryLayer } from "../../support/memory_image.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const image = memoryImage([await memoryLayer("etc/a", "first")]);

Deno.test("PUSH_COMMAND takes a folder for a layout and a file for an archive", async () => {
  await using folder = await makeTempDir();
  await saveToLayout(image, await OciLayout.open(`${folder.path}/layout`), "v1");
  await Deno.writeFile(`${folder.path}/a.tar`, await writeDockerArchive(image, ["a:1"]));
  await using served = serveRegistry();
  for (const [path, name] of [["layout", "x:1"], ["a.tar", "y:1"]]) {
    const to = ["-d", `${served.host}/${name}`, "-d", `${served.host}/also/${name}`];
    const { code, out, err } = await runCli([PUSH_COMMAND.name, `${folder.path}/${path}`, ...to]);
    equal(code, 0, err);
    match(out, /^sha256:[0-9a-f]{64}\n$/);
    ok(served.registry.manifests.has(`also/${name}`));
  }
  const { configDescriptor } = encodeImage(image);
  ok(
    served.registry.blobs.has(`x@${configDescriptor.digest}`) &&
      served.registry.blobs.has(`y@${configDescriptor.digest}`),
  );
});

Deno.test("PUSH_COMMAND says what is missing", async () => {
  const cases: readonly [args: readonly string[], code: number, reason: RegExp][] = [
    [["/nonexistent"], 2, /there is no --destination/],
    [["/nonexistent", "-d", "127.0.0.1:1/a"], 7, /Cannot read archive "\/nonexistent"/],
    [["/tmp", "-d", `r.io/a@sha256:${"a".repeat(64)}`], 2, /a destination has a tag/],
    [["/etc", "-d", "127.0.0.1:1/a"], 7, /"\/etc" as an OCI image layout: there is no index\.json/],
  ];
  for (const [args, expected, reason] of cases) {
    const { code, err } = await runCli(["push", ...args]);
    equal(code, expected, err);
    match(err, reason);
  }
});
