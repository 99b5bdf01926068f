import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import type { BaseResolver } from "../../../src/plan/plan.ts";
import { imageKey, type ImageRequest, resolveImages } from "../../../src/plan/resolve_images.ts";
import { FakeResolver, resolvedImage } from "../../support/plan_request.ts";

Deno.test("imageKey tells platforms apart, and not the spellings of one name", () => {
  const amd64 = parsePlatform("amd64");
  strictEqual(imageKey(parseReference("a"), amd64), imageKey(parseReference("docker.io/library/a:latest"), amd64));
  strictEqual(imageKey(parseReference("a"), amd64), "index.docker.io/library/a:latest linux/amd64");
  strictEqual(imageKey(parseReference("a"), parsePlatform("arm64")), "index.docker.io/library/a:latest linux/arm64");
});

Deno.test("resolveImages asks once for each image that is not known", async () => {
  const resolver = new FakeResolver({ a: {}, b: {} });
  const ports = { resolver, stageNames: [] };
  const first = await resolveImages([request("a"), request("a:latest")], new Map(), ports);
  const second = await resolveImages([request("a"), request("b"), request("b", "arm64")], first, ports);
  deepStrictEqual(resolver.asked, [
    "index.docker.io/library/a:latest linux/amd64",
    "index.docker.io/library/b:latest linux/amd64",
    "index.docker.io/library/b:latest linux/arm64",
  ]);
  deepStrictEqual([...second.keys()], resolver.asked);
  strictEqual(first.size, 1);
});

Deno.test("resolveImages asks for all images at once", async () => {
  const waiting: (() => void)[] = [];
  const resolver: BaseResolver = {
    resolve: (reference, platform) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(resolvedImage(reference, {}, platform)));
        if (waiting.length === 2) waiting.forEach((answer) => answer());
      }),
  };
  const images = await resolveImages([request("a"), request("b")], new Map(), { resolver, stageNames: [] });
  strictEqual(images.size, 2);
});

Deno.test("resolveImages throws the error of the first request, whichever fails first in time", async () => {
  const resolver: BaseResolver = {
    resolve: async ({ repository }) => {
      if (repository === "library/a") await Promise.resolve();
      throw new RangeError(repository);
    },
  };
  const resolving = resolveImages([request("a"), request("b")], new Map(), { resolver, stageNames: [] });
  await rejects(resolving, { name: "RangeError", message: "library/a" });
});

Deno.test("resolveImages asks whether a stage was meant when its name is near", async () => {
  const resolver = new FakeResolver();
  await rejects(resolveImages([request("biuld")], new Map(), { resolver, stageNames: ["test", "build"] }), {
    name: "DockerfileError",
    message: 'Cannot use image "biuld": Cannot resolve index.docker.io/library/biuld:latest: no such image',
    hint: 'Did you mean stage "build"?',
    range: { startLine: 6, endLine: 6 },
  });
});

function request(name: string, platform: string = "amd64"): ImageRequest {
  const range = { startLine: 6, endLine: 6 };
  return { reference: parseReference(name), platform: parsePlatform(platform), range, name };
}
