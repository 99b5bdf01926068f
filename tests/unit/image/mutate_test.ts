import { deepEqual, equal } from "node:assert/strict";
import { scratchImage } from "../../../src/image/image.ts";
import {
  appendHistory,
  appendLayer,
  withAnnotations,
  withContainerConfig,
  withFormat,
  withLatestTime,
  withPlatform,
} from "../../../src/image/mutate.ts";
import { memoryLayer } from "../../support/memory_image.ts";

const scratch = scratchImage({ os: "linux", architecture: "amd64" });

Deno.test("appendLayer adds layer, diffId and history, and leaves the image it was given as it was", async () => {
  const layer = await memoryLayer("f", "x");
  const before = structuredClone(scratch);
  const image = appendLayer(appendHistory(scratch, "ENV a=b"), layer, {
    history: "COPY f /",
    createdMs: 1_700_000_000_120,
  });
  deepEqual(image.layers, [layer]);
  deepEqual(image.config.rootfs.diff_ids, [layer.diffId]);
  deepEqual(image.config.history.map((entry) => [entry.created_by, entry.created, entry.empty_layer]), [
    ["ENV a=b", "2023-11-14T22:13:20.12Z", true],
    ["COPY f /", "2023-11-14T22:13:20.12Z", undefined],
  ]);
  equal(image.config.created, "2023-11-14T22:13:20.12Z");
  deepEqual(scratch, before);
});

Deno.test("withLatestTime clamps the times of the build to whole seconds without a fraction", async () => {
  const image = appendLayer(scratch, await memoryLayer("f", "x"), { history: "RUN", createdMs: 1_700_000_000_000 });
  equal(image.config.created, "2023-11-14T22:13:20Z");
  equal(withLatestTime(image, 1_600_000_000_000).config.created, "2020-09-13T12:26:40Z");
  equal(withLatestTime(image, 1_600_000_000_000).config.history[0]?.created, "2020-09-13T12:26:40Z");
  equal(withLatestTime(image, 0).config.created, "1970-01-01T00:00:00Z");
  equal(withLatestTime(image, 1_800_000_000_000).config.created, "2023-11-14T22:13:20Z");
});

Deno.test("withContainerConfig replaces the container config, and the author only when one is given", () => {
  const image = withContainerConfig(scratch, { User: "1" }, "me");
  deepEqual([image.config.config, image.config.author], [{ User: "1" }, "me"]);
  deepEqual(withContainerConfig(image, {}).config.author, "me");
});

Deno.test("withPlatform drops what belonged to the former platform", () => {
  const arm = withPlatform(scratch, { os: "linux", architecture: "arm", variant: "v7" });
  equal(arm.config.variant, "v7");
  const odd = { ...arm, config: { ...arm.config, "os.version": "10" } };
  deepEqual(withPlatform(odd, { os: "linux", architecture: "arm64", variant: "v8" }).config, {
    ...scratch.config,
    architecture: "arm64",
  });
});

Deno.test("withAnnotations adds and replaces, withFormat changes the family", () => {
  const image = withAnnotations(withAnnotations(scratch, { a: "1", b: "2" }), { b: "3" });
  deepEqual(image.annotations, { a: "1", b: "3" });
  equal(withFormat(image, "docker").format, "docker");
});
