import { equal, match, ok } from "node:assert/strict";
import { COPY_COMMAND } from "../../../src/cli/copy_command.ts";
import { runCli, serveRegistry } from "../../support/cli_world.ts";
import { sampleImage, storeImage } from "../../support/sample_image.ts";

Deno.test("COPY_COMMAND mounts blobs within a registry, and prints the digest", async () => {
  const image = sampleImage();
  await using served = serveRegistry();
  storeImage(served.registry, "a", "1", image);
  const { code, out, err } = await runCli([COPY_COMMAND.name, `docker://${served.host}/a:1`, `${served.host}/b:2`]);
  equal(code, 0, err);
  equal(out, `${image.manifestDescriptor.digest}\n`);
  ok(served.registry.manifests.has("b:2"));
  equal(served.registry.calls().filter((call) => /^GET .*blobs\/sha/.test(call)).length, 0);
  equal(served.registry.calls().filter((call) => call.includes("?mount=")).length, 3);
});

Deno.test("COPY_COMMAND refuses a destination by digest, and names that are none", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const cases: readonly [from: string, to: string, reason: RegExp][] = [
    ["r.io/a", `r.io/b@${digest}`, /a destination has a tag/],
    ["r.io/a", `oci-layout:///b@${digest}`, /a destination has a tag/],
    ["r.io/A", "r.io/b", /Cannot use "r\.io\/A".*lower case/],
  ];
  for (const [from, to, reason] of cases) {
    const { code, err } = await runCli(["copy", from, to]);
    equal(code, 2);
    match(err, reason);
  }
});
