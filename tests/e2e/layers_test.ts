/** How the shipped program makes layers: compressions, one layer for all, and the same image on another day. */
import { deepEqual, equal, match } from "node:assert/strict";
import { OciLayout } from "../../src/blob/oci_layout.ts";
import { isIndex, parseManifest } from "../../src/oci/manifest.ts";
import { startBuildWorld } from "../support/build_world.ts";

const STEPS = `FROM busybox AS tool
RUN echo tool > /tool
FROM busybox
WORKDIR /w
COPY f /w/f
RUN echo run > /w/run && rm /bin/vi
COPY --from=tool /tool /w/tool
RUN rm /w/f
`;

Deno.test("executor makes layers as it is told", async (test) => {
  await using world = await startBuildWorld();
  const built = async (args: readonly string[], env: Record<string, string> = {}, dockerfile = STEPS) => {
    const result = await world.build({ dockerfile, files: { f: "f" }, args, env });
    equal(result.code, 0, result.stderr);
    const layout = await OciLayout.open(result.layout);
    const [entry] = (await layout.index()).manifests;
    const manifest = parseManifest((await layout.getManifest(entry?.digest ?? ""))?.bytes ?? new Uint8Array());
    if (isIndex(manifest)) throw new TypeError("an image was expected");
    return { ...result, types: manifest.layers.map(({ mediaType }) => mediaType.replace(/.*\.tar/, "tar")) };
  };

  for (const [args, suffix] of [[[], "+gzip"], [["--compression-level=19"], "+zstd"], [[], ""]] as const) {
    const compression = { "+gzip": "gzip", "+zstd": "zstd", "": "none" }[suffix];
    await test.step(`compression ${compression}, and a build on top of its image`, async () => {
      const { types, stderr, layout } = await built([...args, `--compression=${compression}`]);
      deepEqual(types.slice(1), Array(5).fill(`tar${suffix}`));
      match(stderr, /Built 6 layers of .* MB, 5 of them new with .*; peak disk .* MB, .* s\n/);
      const check = 'test "$(cat /w/run /w/tool | tr -d "\\n")" = runtool && test ! -e /w/f && test ! -e /bin/vi';
      const again = `FROM oci-layout://${layout}:latest\nRUN ${check}\n`;
      await built([], {}, again);
    });
  }

  for (const flag of ["--single-snapshot", "--squash"]) {
    await test.step(`${flag}: one layer above the base`, async () => {
      const { types } = await built([flag]);
      equal(types.length, 2);
    });
  }

  await test.step("--reproducible: the same digest again", async () => {
    const dockerfile = STEPS.replace("FROM busybox\n", "FROM busybox\nARG X\n");
    const first = await built(["--reproducible", "--single-snapshot"], {}, dockerfile);
    const second = await built(["--reproducible", "--single-snapshot"], {}, dockerfile);
    equal(second.stdout, first.stdout);
    const dated = await built(["--reproducible"], { SOURCE_DATE_EPOCH: "1000000000" });
    equal((await built(["--reproducible"], { SOURCE_DATE_EPOCH: "1000000000" })).stdout, dated.stdout);
    equal(dated.stdout === first.stdout, false);
  });
});
