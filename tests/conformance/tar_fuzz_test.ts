import { equal } from "node:assert/strict";
import { fuzzTar } from "../fuzz/fuzz_tar.ts";

Deno.test("extractLayer and TarParser hold their promises when archives are almost right", async () => {
  const { cases, refused } = await fuzzTar(1, Number(Deno.env.get("KILN_FUZZ_MS") ?? 3000));
  equal(cases > refused && refused > 0, true, `${cases} cases, ${refused} refused`);
});
