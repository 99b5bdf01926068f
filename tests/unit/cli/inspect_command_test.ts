import { deepEqual, equal, match } from "node:assert/strict";
import { INSPECT_COMMAND } from "../../../src/cli/inspect_command.ts";
import { runCli, serveRegistry } from "../../support/cli_world.ts";
import { sampleImage, storeImage } from "../../support/sample_image.ts";

Deno.test("INSPECT_COMMAND prints text, JSON, or the manifest's own bytes, and fetches no layer", async () => {
  const image = sampleImage();
  await using served = serveRegistry();
  storeImage(served.registry, "a", "1", image);
  const name = `${served.host}/a:1`;
  match((await runCli([INSPECT_COMMAND.name, name])).out, /^Name: +127[^]*Layers: +2, 1\.1 kB\n/);
  const { manifest, config, digest } = JSON.parse((await runCli(["inspect", "--format=json", name])).out);
  deepEqual(manifest, JSON.parse(JSON.stringify(image.manifest)));
  deepEqual([digest, config.rootfs.diff_ids], [image.manifestDescriptor.digest, image.diffIds]);
  equal((await runCli(["inspect", "--format=raw", name])).out, new TextDecoder().decode(image.manifestBytes));
  const layers = new Set(image.manifest.layers.map((layer) => `GET /v2/a/blobs/${layer.digest}`));
  equal(served.registry.calls().some((call) => layers.has(call)), false);
});

Deno.test("INSPECT_COMMAND ends with 5 when there is no such image", async () => {
  await using served = serveRegistry();
  const { code, err } = await runCli(["inspect", `${served.host}/a:1`]);
  equal(code, 5);
  match(err, /Cannot read 127\.0\.0\.1:\d+\/a:1: manifest unknown \(404\)/);
});
