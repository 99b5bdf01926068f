import { deepEqual, equal, rejects } from "node:assert/strict";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import type { StoredManifest } from "../../../src/blob/blob_store.ts";
import { IntegrityError } from "../../../src/blob/verify_stream.ts";
import { FormatError } from "../../../src/errors.ts";
import { type Descriptor, MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { manifestBytes } from "../../../src/oci/manifest.ts";
import { SystemError } from "../../../src/sys/libc.ts";
import { failingStream, sampleBytes, streamOf } from "../../support/byte_streams.ts";
import { readAll } from "../../support/tar_members.ts";

const sample = sampleBytes(200_000);

function test(name: string, action: (layout: OciLayout, path: string) => Promise<void>): void {
  Deno.test(`OciLayout ${name}`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      await action(await OciLayout.open(`${dir}/layout`), `${dir}/layout`);
      const left = await Array.fromAsync(Deno.readDir(`${dir}/layout`), ({ name }) => name);
      deepEqual(left.filter((name) => !["oci-layout", "index.json", "blobs"].includes(name)), []);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

function describe(bytes: Uint8Array, mediaType: string = MEDIA_TYPES.ociLayer): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

function manifestOf(name: string): StoredManifest {
  const config = describe(new TextEncoder().encode(name), MEDIA_TYPES.ociConfig);
  const bytes = manifestBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] });
  return { mediaType: MEDIA_TYPES.ociManifest, digest: sha256(bytes), bytes };
}

test("gives back what was ingested", async (layout) => {
  const blob = await layout.ingest(streamOf(sample, 999));
  deepEqual(blob, { digest: sha256(sample), size: sample.length });
  const descriptor = describe(sample);
  equal(await layout.has(descriptor), true);
  equal(await layout.has({ ...descriptor, size: 1 }), false);
  deepEqual(await readAll(await layout.open(descriptor)), sample);
  deepEqual(await layout.ingest(streamOf(sample)), blob);
});

test("copies a blob once when it is put again", async (layout) => {
  let opens = 0;
  const source = {
    open(): Promise<ReadableStream<Uint8Array>> {
      opens++;
      return Promise.resolve(streamOf(sample));
    },
  };
  await layout.put(describe(sample), source);
  await layout.put(describe(sample), source);
  equal(opens, 1);
  deepEqual(await readAll(await layout.open(describe(sample))), sample);
});

test("holds nothing when a put brings other bytes or fails", async (layout) => {
  const wrong = { open: () => Promise.resolve(streamOf(sample.subarray(1))) };
  await rejects(layout.put(describe(sample), wrong), IntegrityError);
  const failure = new FormatError("the source's own");
  await rejects(layout.put(describe(sample), { open: () => Promise.resolve(failingStream(sample, failure)) }), failure);
  await rejects(layout.ingest(failingStream(sample, failure)), failure);
  equal(await layout.has(describe(sample)), false);
});

test("holds nothing when a put is aborted", async (layout) => {
  const controller = new AbortController();
  const reason = new FormatError("stopped");
  const endless = new ReadableStream<Uint8Array>({
    pull(stream): void {
      stream.enqueue(new Uint8Array(1000));
      controller.abort(reason);
    },
  });
  await rejects(layout.ingest(endless, controller.signal), reason);
});

test("fails with IntegrityError when a blob on disk was altered", async (layout, path) => {
  const { digest } = await layout.ingest(streamOf(sample));
  const altered = sample.slice();
  altered[100] = (altered[100] ?? 0) ^ 1;
  await Deno.writeFile(`${path}/blobs/sha256/${digest.slice(7)}`, altered);
  await rejects(async () => await readAll(await layout.open(describe(sample))), IntegrityError);
});

test("fails with SystemError when a blob is missing, and FormatError when its digest is none", async (layout) => {
  await rejects(layout.open(describe(sample)), (error: unknown) => {
    return error instanceof SystemError && error.errnoName === "ENOENT" && error.message.includes(sha256(sample));
  });
  const hostile = { ...describe(sample), digest: "sha256:../../../etc/passwd" };
  await rejects(async () => await Reflect.apply(layout.open, layout, [hostile]), FormatError);
});

test("finds manifests by tag and by digest", async (layout) => {
  const [one, two] = [manifestOf("one"), manifestOf("two")];
  equal(await layout.getManifest("latest"), undefined);
  equal(await layout.getManifest(one.digest), undefined);
  await layout.putManifest("latest", one);
  await layout.putManifest("v1", one);
  await layout.putManifest("latest", two);
  deepEqual(await layout.getManifest("latest"), two);
  deepEqual(await layout.getManifest("v1"), one);
  deepEqual(await layout.getManifest(one.digest), one);
  equal((await layout.index()).manifests.length, 2);
});

test("lists a manifest that has no tag once", async (layout) => {
  const one = manifestOf("one");
  await layout.putManifest(one.digest, one);
  await layout.putManifest(one.digest, one);
  equal((await layout.index()).manifests.length, 1);
  await layout.putManifest("latest", one);
  equal((await layout.index()).manifests.length, 1);
});

test("refuses a manifest under another digest", async (layout) => {
  await rejects(layout.putManifest(sha256(sample), manifestOf("one")), IntegrityError);
  equal((await layout.index()).manifests.length, 0);
});

test("loses no tag when many write at the same time", async (_layout, path) => {
  const tags = Array.from({ length: 20 }, (_, i) => `tag-${i}`);
  await Promise.all(tags.map(async (tag) => {
    const layout = await OciLayout.open(path);
    await layout.putManifest(tag, manifestOf(tag));
  }));
  const layout = await OciLayout.open(path);
  for (const tag of tags) deepEqual(await layout.getManifest(tag), manifestOf(tag));
});

test("fails when the index names a manifest that is not there, or is broken", async (layout, path) => {
  const one = manifestOf("one");
  await layout.putManifest("latest", one);
  const blob = `${path}/blobs/sha256/${one.digest.slice(7)}`;
  await Deno.writeTextFile(blob, "{}");
  await rejects(layout.getManifest("latest"), IntegrityError);
  await Deno.remove(blob);
  await rejects(layout.getManifest("latest"), /is not there/);
  await Deno.writeTextFile(`${path}/index.json`, "not json");
  await rejects(layout.getManifest("latest"), FormatError);
});

test("opens a directory again, and refuses one of another version", async (layout, path) => {
  await layout.putManifest("latest", manifestOf("one"));
  deepEqual(await (await OciLayout.open(path)).getManifest("latest"), manifestOf("one"));
  await Deno.writeTextFile(`${path}/oci-layout`, '{"imageLayoutVersion":"2.0.0"}');
  await rejects(OciLayout.open(path), FormatError);
});

Deno.test("OciLayout.open fails with SystemError when the place is a file", async () => {
  const file = await Deno.makeTempFile();
  try {
    await rejects(OciLayout.open(`${file}/layout`), (error: unknown) => {
      return error instanceof SystemError && error.message.includes(file);
    });
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("OciLayout names a full disk", async () => {
  const layoutPath = await Deno.makeTempDir();
  try {
    const layout = await OciLayout.open(layoutPath);
    const full = Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
    await rejects(layout.ingest(failingStream(sample, full)), (error: unknown) => {
      return error instanceof SystemError && /no space left on the disk/.test(error.message) &&
        error.hint !== undefined;
    });
  } finally {
    await Deno.remove(layoutPath, { recursive: true });
  }
});

test("removes a blob, and minds none that is missing", async (layout) => {
  const digest = await layout.putBytes(new Uint8Array(3));
  await layout.remove({ digest });
  equal(await layout.has({ mediaType: "x", digest, size: 3 }), false);
  await layout.remove({ digest });
});
