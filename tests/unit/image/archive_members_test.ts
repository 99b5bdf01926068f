import { deepEqual, equal, rejects } from "node:assert/strict";
import { listMembers, openSlice } from "../../../src/image/archive_members.ts";
import { compressStream } from "../../../src/layer/compression.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { type TarEntry, writeTar } from "../../../src/tar/write.ts";
import { streamOf } from "../../support/byte_streams.ts";
import { tarHeader } from "../../support/tar_headers.ts";
import { readAll } from "../../support/tar_members.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const LONG = `${"d".repeat(120)}/layer.tar`;

function file(path: string, text: string): TarEntry {
  const body = new TextEncoder().encode(text);
  return { header: tarHeader(path, { size: body.length }), body: [body] };
}

async function inArchive(bytes: Uint8Array, action: (path: string) => Promise<void>): Promise<void> {
  await using folder = await makeTempDir();
  await Deno.writeFile(`${folder.path}/a.tar`, bytes);
  await action(`${folder.path}/a.tar`);
}

Deno.test("listMembers finds every body, behind long names and links, and openSlice reads it", async () => {
  const tar = await readAll(writeTar([
    { header: tarHeader("a/", { type: "directory" }) },
    file("./a/one", "first"),
    file(LONG, "x".repeat(700)),
    { header: tarHeader("b/two", { type: "symlink", linkPath: rawPath("../a/one") }) },
    { header: tarHeader("c", { type: "hardlink", linkPath: rawPath("a/one") }) },
    { header: tarHeader("dangling", { type: "symlink", linkPath: rawPath("nowhere") }) },
    file("empty", ""),
  ]));
  await inArchive(tar, async (path) => {
    const members = await listMembers(path);
    deepEqual([...members.keys()].sort(), ["a/one", "b/two", "c", LONG, "empty"]);
    for (const [name, expected] of [["b/two", "first"], ["c", "first"], [LONG, "x".repeat(700)], ["empty", ""]]) {
      const slice = members.get(name ?? "");
      equal(slice && new TextDecoder().decode(await readAll(await openSlice(path, slice))), expected, name);
    }
  });
});

Deno.test("listMembers names the file and what is wrong with it", async () => {
  const tar = await readAll(writeTar([file("a", "x".repeat(600)), file("b", "y")]));
  const flipped = tar.slice();
  flipped[1024 + 512 + 3] = 0xff;
  const cases: readonly [bytes: Uint8Array, reason: RegExp][] = [
    [tar.subarray(0, 800), /a\.tar": it is cut off within "a"/],
    [flipped, /the header at byte 1536 is broken/],
    [new TextEncoder().encode("x".repeat(600)), /it is not a tar archive/],
    [await readAll(streamOf(tar).pipeThrough(compressStream("gzip"))), /it is compressed; decompress it first/],
  ];
  for (const [bytes, reason] of cases) {
    const padded = new Uint8Array(Math.max(bytes.length, 512));
    padded.set(bytes);
    await inArchive(padded, (path) => rejects(listMembers(path), reason));
  }
});
