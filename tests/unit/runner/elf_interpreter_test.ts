import { deepEqual, equal, match } from "node:assert/strict";
import { elfInterpreter, isElf } from "../../../src/runner/elf_interpreter.ts";

Deno.test("elfInterpreter names the loader of a dynamic program and none of a static one", async () => {
  match(elfInterpreter((await Deno.readFile("/bin/ls")).subarray(0, 4096)) ?? "", /^\/lib.*\/ld-linux.*\.so\.\d$/);
  equal(elfInterpreter((await Deno.readFile("/bin/busybox")).subarray(0, 4096)), undefined);
});

Deno.test("elfInterpreter gives undefined for what is cut or no 64-bit ELF file", async () => {
  const head = (await Deno.readFile("/bin/ls")).slice(0, 4096);
  for (const length of [0, 3, 63, 64, 100]) equal(elfInterpreter(head.subarray(0, length)), undefined, `${length}`);
  const narrow = head.slice();
  narrow[4] = 1;
  equal(elfInterpreter(narrow), undefined);
  equal(elfInterpreter(new TextEncoder().encode("#!/bin/sh\n".repeat(20))), undefined);
});

Deno.test("isElf goes by the first four bytes", () => {
  deepEqual(
    [[0x7f, 0x45, 0x4c, 0x46], [0x7f, 0x45, 0x4c], [], [0x23, 0x21, 0, 0]].map((x) => isElf(new Uint8Array(x))),
    [
      true,
      false,
      false,
      false,
    ],
  );
});
