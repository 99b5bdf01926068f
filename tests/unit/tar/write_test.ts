import { deepEqual, equal, rejects } from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import { TAR_END, type TarEntry, tarPadding, writeTar } from "../../../src/tar/write.ts";
import { tarHeader } from "../../support/tar_headers.ts";
import { readAll, readMembers } from "../../support/tar_members.ts";

Deno.test("tarPadding completes a block of 512", () => {
  deepEqual([0, 1, 511, 512, 513, 2 ** 40 + 1].map(tarPadding), [0, 511, 1, 0, 511, 511]);
});

Deno.test("writeTar writes only the end mark when there are no entries", async () => {
  deepEqual(await readAll(writeTar([])), TAR_END);
  equal(TAR_END.length, 1024);
});

Deno.test("writeTar writes large chunks when bodies come in small pieces", async () => {
  const size = 300_000;
  const body = Uint8Array.from({ length: size }, (_, i) => i * 7);
  const pieces = function* (): Generator<Uint8Array> {
    const reused = new Uint8Array(1000);
    for (let at = 0; at < size; at += 1000) {
      reused.set(body.subarray(at, at + 1000));
      yield reused;
    }
  };
  const header = tarHeader("f", { size });
  const empty = tarHeader("empty");
  const chunks = await Array.fromAsync(writeTar([{ header, body: pieces() }, { header: empty }]));
  deepEqual(chunks.slice(0, -1).map((chunk) => chunk.length >= 65536), chunks.slice(0, -1).map(() => true));
  const members = readMembers(await readAll(new Response(new Blob(chunks.map((c) => c.slice()))).body ?? fail()));
  deepEqual(members, [{ header, body }, { header: empty, body: new Uint8Array() }]);
});

for (const [name, size, expected] of [["longer", 2, /has more than 2/], ["shorter", 4, /has only 3/]] as const) {
  Deno.test(`writeTar fails when a body is ${name} than its header says`, async () => {
    const entry: TarEntry = { header: tarHeader("dir/f", { size }), body: [new Uint8Array(3)] };
    await rejects(readAll(writeTar([entry])), (error: unknown) => {
      return error instanceof FormatError && expected.test(error.message) && error.message.includes('"dir/f"');
    });
  });
}

Deno.test("writeTar pulls entries only as it is read, and closes the source when it is cancelled", async () => {
  let made = 0;
  let isClosed = false;
  const entries = function* (): Generator<TarEntry> {
    try {
      for (;;) yield { header: tarHeader(`f${made++}`, { size: 1 << 20 }), body: [new Uint8Array(1 << 20)] };
    } finally {
      isClosed = true;
    }
  };
  const reader = writeTar(entries()).getReader();
  equal(made, 0);
  await reader.read();
  equal(made, 1);
  await reader.cancel();
  equal(isClosed, true);
});

function fail(): never {
  throw new TypeError("a blob has a body");
}
