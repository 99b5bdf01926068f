import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import {
  type ImageIndex,
  type ImageManifest,
  isIndex,
  manifestBytes,
  MAX_MANIFEST_BYTES,
  parseManifest,
} from "../../../src/oci/manifest.ts";

const DIGEST = sha256(new Uint8Array());
const LAYER = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: DIGEST, size: 3 };
const CONFIG = { mediaType: MEDIA_TYPES.ociConfig, digest: DIGEST, size: 2 };

function parse(document: unknown, contentType?: string): ImageManifest | ImageIndex {
  return parseManifest(new TextEncoder().encode(JSON.stringify(document)), contentType);
}

Deno.test("parseManifest takes the kind from the media type, then from the header, then from the fields", () => {
  const manifest = { schemaVersion: 2, config: CONFIG, layers: [LAYER] };
  const index = { schemaVersion: 2, manifests: [CONFIG] };
  const cases: readonly [document: unknown, contentType: string | undefined, expected: string][] = [
    [{ ...manifest, mediaType: MEDIA_TYPES.dockerManifest }, undefined, MEDIA_TYPES.dockerManifest],
    [manifest, `${MEDIA_TYPES.dockerManifest}; charset=utf-8`, MEDIA_TYPES.dockerManifest],
    [manifest, "application/json", MEDIA_TYPES.ociManifest],
    [index, undefined, MEDIA_TYPES.ociIndex],
    [index, MEDIA_TYPES.dockerIndex, MEDIA_TYPES.dockerIndex],
  ];
  for (const [document, contentType, expected] of cases) {
    const parsed = parse(document, contentType);
    equal(parsed.mediaType, expected);
    equal(isIndex(parsed), expected === MEDIA_TYPES.ociIndex || expected === MEDIA_TYPES.dockerIndex);
  }
});

Deno.test("parseManifest reads null layers as none and drops unknown fields", () => {
  deepEqual(parse({ schemaVersion: 2, config: { ...CONFIG, x: 1 }, layers: null, annotations: null, y: 2 }), {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: CONFIG,
    layers: [],
  });
});

Deno.test("parseManifest throws FormatError when the document is hostile or broken", () => {
  const manifest = { schemaVersion: 2, config: CONFIG, layers: [LAYER] };
  const cases: readonly [document: unknown, message: RegExp][] = [
    [{ ...manifest, manifests: [] }, /fields of a manifest and of an index/],
    [{ ...manifest, schemaVersion: 1 }, /schema version 1 is not supported/],
    [{ ...manifest, layers: [{ ...LAYER, size: -1 }] }, /"layers.0.size"/],
    [{ ...manifest, layers: [{ ...LAYER, size: 1.5 }] }, /"layers.0.size"/],
    [{ ...manifest, layers: [{ ...LAYER, digest: "sha256:../../x" }] }, /"layers.0.digest"/],
    [{ ...manifest, layers: [null] }, /"layers.0"/],
    [{ schemaVersion: 2, layers: [] }, /"config"/],
    [{ ...manifest, annotations: { a: 1 } }, /"annotations.a"/],
    [[], /the document/],
    ["x", /the document/],
  ];
  for (const [document, message] of cases) throws(() => parse(document), message);
  throws(() => parse({ ...manifest, mediaType: MEDIA_TYPES.ociManifest }, MEDIA_TYPES.ociIndex), FormatError);
  throws(() => parseManifest(new Uint8Array(MAX_MANIFEST_BYTES + 1)), /more than the limit/);
});

Deno.test("parseManifest undoes manifestBytes, of both families", () => {
  const annotations = fc.option(
    fc.dictionary(fc.stringMatching(/^[a-z.]{1,9}$/), fc.string(), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    { nil: undefined },
  );
  const descriptor = fc.record({
    mediaType: fc.constantFrom(...Object.values(MEDIA_TYPES)),
    digest: fc.uint8Array().map((bytes) => sha256(bytes)),
    size: fc.nat(),
    annotations,
    urls: fc.option(fc.array(fc.webUrl(), { minLength: 1 }), { nil: undefined }),
    platform: fc.constantFrom(undefined, { os: "linux", architecture: "arm", variant: "v7" }),
  }).map(withoutUndefined);
  const list = fc.array(descriptor, { maxLength: 4 });
  const manifest = fc.record({ config: descriptor, layers: list, annotations }).map((fields) => ({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.dockerManifest,
    ...withoutUndefined(fields),
  }));
  const index = fc.record({ manifests: list, annotations }).map((fields) => ({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    ...withoutUndefined(fields),
  }));
  fc.assert(fc.property(fc.oneof(manifest, index), (document) => {
    const value = parse(document);
    deepEqual(value, document);
    const bytes = manifestBytes(value);
    deepEqual(parseManifest(bytes), value);
    deepEqual(manifestBytes(parseManifest(bytes)), bytes);
  }));
});

Deno.test("manifestBytes writes the specification's order without spaces", () => {
  const value = parse({ layers: [LAYER], config: CONFIG, schemaVersion: 2, annotations: { b: "<&>", a: "1" } });
  equal(
    new TextDecoder().decode(manifestBytes(value)),
    `{"schemaVersion":2,"mediaType":"${MEDIA_TYPES.ociManifest}",` +
      `"config":{"mediaType":"${CONFIG.mediaType}","digest":"${DIGEST}","size":2},` +
      `"layers":[{"mediaType":"${LAYER.mediaType}","digest":"${DIGEST}","size":3}],` +
      `"annotations":{"a":"1","b":"<&>"}}`,
  );
});

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
