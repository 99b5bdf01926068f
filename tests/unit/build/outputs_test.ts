import { deepEqual, equal, rejects } from "node:assert/strict";
import type { OutputOptions } from "../../../src/build/build_request.ts";
import { deliver, finishImage } from "../../../src/build/outputs.ts";
import { ContextError } from "../../../src/context/context_error.ts";
import { encodeImage } from "../../../src/image/image.ts";
import { withFormat } from "../../../src/image/mutate.ts";
import { parseReference, type Reference } from "../../../src/oci/reference.ts";
import type { Registry } from "../../../src/registry/registry.ts";
import { testServices } from "../../support/stage_world.ts";
import { memoryImage, memoryLayer } from "../../support/memory_image.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";

const DESTINATIONS = [parseReference("h:5/a/b:1"), parseReference("h:5/a/c")];
const IMAGE = memoryImage([await memoryLayer("f", "x")]);
const DIGEST = encodeImage(IMAGE).manifestDescriptor.digest;

function registry(push: (references: readonly Reference[]) => void): Pick<Registry, "push"> {
  return {
    push: (_image, references) => {
      push(references);
      return Promise.resolve(references.map((reference) => ({ reference, digest: DIGEST })));
    },
  };
}

function options(temp: TempDir, more: Partial<OutputOptions>): OutputOptions {
  return {
    destinations: DESTINATIONS,
    push: true,
    checkPushPermission: false,
    annotations: {},
    digestFile: `${temp.path}/new/digest`,
    imageNameWithDigestFile: `${temp.path}/names`,
    imageNameTagWithDigestFile: `${temp.path}/tags`,
    ...more,
  };
}

Deno.test("deliver writes the digest files when the push has succeeded", async () => {
  await using temp = await makeTempDir();
  const asked: Reference[] = [];
  const result = await deliver(
    IMAGE,
    options(temp, {}),
    registry((references) => asked.push(...references)),
    testServices("/"),
  );
  deepEqual(asked, DESTINATIONS);
  deepEqual([result.digest, result.pushed], [DIGEST, DESTINATIONS]);
  equal(await Deno.readTextFile(`${temp.path}/new/digest`), DIGEST);
  equal(await Deno.readTextFile(`${temp.path}/names`), `h:5/a/b@${DIGEST}\nh:5/a/c@${DIGEST}\n`);
  equal(await Deno.readTextFile(`${temp.path}/tags`), `h:5/a/b:1@${DIGEST}\nh:5/a/c:latest@${DIGEST}\n`);
});

Deno.test("deliver leaves no digest file when the push fails", async () => {
  await using temp = await makeTempDir();
  const failing = registry(() => {
    throw new RangeError("refused");
  });
  await rejects(deliver(IMAGE, options(temp, {}), failing, testServices("/")), RangeError);
  deepEqual([...Deno.readDirSync(temp.path)], []);
});

Deno.test("deliver names the file when it cannot be written", async () => {
  await using temp = await makeTempDir();
  await Deno.writeTextFile(`${temp.path}/file`, "");
  const tarPath = `${temp.path}/file/image.tar`;
  await rejects(
    deliver(IMAGE, options(temp, { push: false, tarPath }), registry(() => {}), testServices("/")),
    (error: unknown) => error instanceof ContextError && error.message.includes(tarPath),
  );
});

Deno.test("finishImage changes format and annotations only where that is asked for", async () => {
  await using temp = await makeTempDir();
  const plain = finishImage(IMAGE, options(temp, {}));
  deepEqual([plain.format, plain.annotations], ["oci", {}]);
  equal(finishImage(IMAGE, options(temp, { format: "docker" })).format, "docker");
  const docker = withFormat(IMAGE, "docker");
  equal(finishImage(docker, { annotations: {} }).format, "docker");
  const annotated = finishImage(docker, { annotations: { a: "b" } });
  deepEqual([annotated.format, annotated.annotations], ["oci", { a: "b" }]);
});
