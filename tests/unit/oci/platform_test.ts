import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import { formatPlatform, parsePlatform, platformFit } from "../../../src/oci/platform.ts";

Deno.test("parsePlatform normalises", () => {
  const cases: readonly [text: string, expected: string][] = [
    ["linux/amd64", "linux/amd64"],
    ["linux", "linux/amd64"],
    ["arm64", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm64/v9", "linux/arm64/v9"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/arm/v6", "linux/arm/v6"],
    ["Linux/AMD64", "linux/amd64"],
    ["i386", "linux/386"],
  ];
  for (const [text, expected] of cases) equal(formatPlatform(parsePlatform(text)), expected, text);
});

Deno.test("parsePlatform throws FormatError when the text is no platform", () => {
  for (const text of ["", "/", "linux/", "a/b/c/d", "linux/am d64", "linux//v7"]) {
    throws(() => parsePlatform(text), FormatError, text);
  }
});

Deno.test("parsePlatform undoes formatPlatform", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  fc.assert(fc.property(name, name, fc.option(fc.stringMatching(/^v[1-9]$/)), (os, architecture, variant) => {
    const platform = parsePlatform([os, architecture, ...(variant === null ? [] : [variant])].join("/"));
    deepEqual(parsePlatform(formatPlatform(platform)), platform);
  }));
});

Deno.test("platformFit prefers the closest variant that runs and refuses higher ones", () => {
  const fit = (wanted: string, offered: string): number | undefined =>
    platformFit(parsePlatform(wanted), parsePlatform(offered));
  equal(fit("linux/amd64", "linux/arm64"), undefined);
  equal(fit("linux/amd64", "windows/amd64"), undefined);
  equal(fit("linux/arm/v6", "linux/arm/v7"), undefined);
  equal(fit("linux/amd64", "linux/amd64/v2"), undefined);
  const [v6, v7] = [fit("linux/arm/v7", "linux/arm/v6") ?? -1, fit("linux/arm/v7", "linux/arm/v7") ?? -1];
  equal(v7 > v6 && v6 >= 0, true);
  equal(fit("linux/arm64", "linux/arm64/v8"), fit("linux/arm64/v8", "linux/arm64"));
});
