import { deepEqual, equal, match, ok } from "node:assert/strict";
import { INDEX_COMMAND } from "../../../src/cli/index_command.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { runCli, serveRegistry } from "../../support/cli_world.ts";
import { sampleBytes, sampleImage, storeImage } from "../../support/sample_image.ts";

Deno.test("INDEX_COMMAND copies the images beside the index and names them by platform", async () => {
  const amd64 = sampleImage();
  const arm64 = sampleImage([sampleBytes(70, 9)], parsePlatform("linux/arm64"));
  await using served = serveRegistry();
  storeImage(served.registry, "app", "amd64", amd64);
  storeImage(served.registry, "other", "arm64", arm64);
  const images = [`${served.host}/app:amd64`, `${served.host}/other:arm64`];
  const { code, out, err } = await runCli([INDEX_COMMAND.name, ...images, "-d", `${served.host}/app:1`]);
  equal(code, 0, err);
  const stored = served.registry.manifests.get("app:1");
  const { manifests } = JSON.parse(new TextDecoder().decode(stored?.bytes));
  deepEqual(
    manifests.map((entry: { digest: string; platform: unknown }) => [entry.digest, entry.platform]),
    [
      [amd64.manifestDescriptor.digest, { architecture: "amd64", os: "linux" }],
      [arm64.manifestDescriptor.digest, { architecture: "arm64", os: "linux" }],
    ],
  );
  ok(served.registry.manifests.has(`app@${arm64.manifestDescriptor.digest}`));
  ok(served.registry.manifests.has(`app@${out.trim()}`));
});

Deno.test("INDEX_COMMAND refuses images in files and two of one platform", async () => {
  await using served = serveRegistry();
  storeImage(served.registry, "a", "1", sampleImage());
  storeImage(served.registry, "a", "2", sampleImage([sampleBytes(3)]));
  const to = ["-d", `${served.host}/i:1`];
  const local = await runCli(["index", "oci-layout:///x", ...to]);
  deepEqual([local.code, /it is not in a registry\nHint: Push it first/.test(local.err)], [2, true]);
  const twice = await runCli(["index", `${served.host}/a:1`, `${served.host}/a:2`, ...to]);
  match(twice.err, /are both for linux\/amd64/);
});
