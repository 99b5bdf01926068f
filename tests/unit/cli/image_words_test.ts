import { equal, throws } from "node:assert/strict";
import { UsageError } from "../../../src/cli/flag.ts";
import { FlagValues } from "../../../src/cli/flag.ts";
import { destinations, imageWord, platformFlag } from "../../../src/cli/image_words.ts";
import { formatReference } from "../../../src/oci/reference.ts";

function values(entries: Readonly<Record<string, string | readonly string[]>>): FlagValues {
  return new FlagValues(new Map(Object.entries(entries)), new Set());
}

Deno.test("imageWord reads names with and without docker://, and images in files", () => {
  for (const text of ["r.io/a:1", "docker://r.io/a:1"]) equal(formatReference(imageWord(text)), "r.io/a:1");
  equal(imageWord("oci-layout:///x").local?.path, "/x");
  throws(() => imageWord("r.io/A"), UsageError);
});

Deno.test("destinations wants at least one, and none by digest", () => {
  equal(destinations(values({ destination: ["r.io/a", "docker://r.io/b:2"] })).length, 2);
  throws(() => destinations(values({ destination: [] })), /there is no --destination/);
  throws(() => destinations(values({ destination: ["oci-layout:///x"] })), UsageError);
  throws(() => destinations(values({ destination: [`a@sha256:${"a".repeat(64)}`] })), /a destination has a tag/);
});

Deno.test("platformFlag reads a platform, or nothing", () => {
  equal(platformFlag(values({ platform: "" })), undefined);
  equal(platformFlag(values({ platform: "arm64" }))?.architecture, "arm64");
  throws(() => platformFlag(values({ platform: "a b" })), UsageError);
});
