import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { IntegrityError } from "../../../src/blob/verify_stream.ts";
import { type Descriptor, MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { downloadBlob, isForeignLayer } from "../../../src/registry/blob_download.ts";
import { RegistryError } from "../../../src/registry/registry_error.ts";
import { breakingBody } from "../../support/fake_registry.ts";
import { registryWorld, wire } from "../../support/registry_world.ts";
import { describe, sampleBytes } from "../../support/sample_image.ts";
import { type Exchange, scriptedFetch } from "../../support/scripted_fetch.ts";

const BYTES = sampleBytes(1000);
const BLOB = describe(MEDIA_TYPES.ociLayerGzip, BYTES);
const CALL = `GET https://r.io/v2/a/b/blobs/${BLOB.digest}`;

async function download(script: readonly Exchange[], descriptor: Descriptor = BLOB): Promise<Uint8Array> {
  const scripted = scriptedFetch(script);
  using wired = wire(registryWorld(scripted.fetch));
  const session = wired.session({ registry: "r.io", repository: "a/b" }, "pull");
  try {
    return await new Response(await downloadBlob(session, descriptor)).bytes();
  } finally {
    scripted.finish();
  }
}

function part(
  from: number,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>,
  status = 206,
): Response {
  return new Response(body, { status, headers: { "content-range": `bytes ${from}-999/1000` } });
}

Deno.test("downloadBlob gives the blob's bytes", async () => {
  deepEqual(await download([{ call: CALL, answer: new Response(BYTES) }]), BYTES);
});

Deno.test("downloadBlob goes on where the connection broke off", async () => {
  const bytes = await download([
    { call: CALL, headers: { range: null }, answer: new Response(breakingBody(BYTES, 300)) },
    { call: CALL, headers: { range: "bytes=300-" }, answer: part(300, breakingBody(BYTES.slice(300), 100)) },
    { call: CALL, headers: { range: "bytes=400-" }, answer: new Response(BYTES) },
  ]);
  deepEqual(bytes, BYTES);
});

Deno.test("downloadBlob starts again when nothing had come", async () => {
  const broken = new Response(breakingBody(BYTES, 0));
  deepEqual(await download([{ call: CALL, answer: broken }, { call: CALL, answer: new Response(BYTES) }]), BYTES);
});

Deno.test("downloadBlob errors with IntegrityError when the blob is short or wrong", async () => {
  const short = BYTES.slice(0, 900);
  await rejects(
    download([
      { call: CALL, answer: new Response(short) },
      { call: CALL, headers: { range: "bytes=900-" }, answer: new Response("", { status: 416 }) },
    ]),
    (error: unknown) => error instanceof IntegrityError && /it ended after 900/.test(error.message),
  );
  await rejects(
    download([{ call: CALL, answer: new Response(short) }, { call: CALL, answer: new Response(short) }]),
    IntegrityError,
  );
  await rejects(download([{ call: CALL, answer: new Response(sampleBytes(1000, 2)) }]), IntegrityError);
  await rejects(download([{ call: CALL, answer: new Response(sampleBytes(1001)) }]), IntegrityError);
});

Deno.test("downloadBlob throws RegistryError when the blob is missing or goes on elsewhere", async () => {
  await rejects(
    download([{ call: CALL, answer: new Response("", { status: 404 }) }]),
    (error: unknown) =>
      error instanceof RegistryError &&
      error.message === `Cannot pull blob ${BLOB.digest} of r.io/a/b: not found (404)`,
  );
  await rejects(
    download([
      { call: CALL, answer: new Response(breakingBody(BYTES, 300)) },
      { call: CALL, answer: part(299, BYTES.slice(299)) },
    ]),
    /the server continued at another place/,
  );
});

Deno.test("downloadBlob follows the urls of foreign layers only, without credentials", async () => {
  const urls = ["file:///etc/passwd", "https://cdn.io/layer"];
  const missing = (): Exchange => ({ call: CALL, answer: new Response("", { status: 404 }) });
  const foreign = { ...BLOB, mediaType: MEDIA_TYPES.dockerForeignLayerGzip, urls };
  const there: Exchange = {
    call: "GET https://cdn.io/layer",
    headers: { authorization: null },
    answer: new Response(BYTES),
  };
  deepEqual(await download([missing(), there], foreign), BYTES);
  await rejects(download([missing()], { ...BLOB, urls }), RegistryError);
});

Deno.test("isForeignLayer tells foreign layers from others", () => {
  ok(isForeignLayer(MEDIA_TYPES.ociForeignLayerGzip));
  equal(isForeignLayer(MEDIA_TYPES.ociLayerGzip), false);
});
