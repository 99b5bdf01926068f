import { deepEqual, throws } from "node:assert/strict";
import { pathBuffer } from "../../../src/sys/path_buffer.ts";
import { type RawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";

Deno.test("pathBuffer ends the bytes with a NUL", () => {
  deepEqual(pathBuffer(rawPathFromBytes(new Uint8Array([0x2f, 0xff]))), new Uint8Array([0x2f, 0xff, 0]));
});

Deno.test("pathBuffer refuses a path with a NUL and one that is too long", () => {
  throws(() => pathBuffer("/a\0b" as RawPath), { name: "SystemError", errnoName: "EINVAL", message: /NUL/ });
  throws(() => pathBuffer("a".repeat(4096) as RawPath), { errnoName: "ENAMETOOLONG", message: /4096 bytes/ });
  deepEqual(pathBuffer("a".repeat(4095) as RawPath).length, 4096);
});
