import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import { isDigest, parseDiffId, parseDigest, sha256, Sha256Hasher } from "../../../src/oci/digest.ts";

const HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Deno.test("parseDigest and parseDiffId accept sha256 with 64 hex digits only", () => {
  equal(parseDigest(`sha256:${HEX}`), `sha256:${HEX}`);
  equal(parseDiffId(`sha256:${HEX}`), `sha256:${HEX}`);
  for (
    const text of ["", HEX, `sha256:${HEX}0`, `sha256:${HEX.slice(1)}`, `sha512:${HEX}`, `sha256:${HEX.toUpperCase()}`]
  ) {
    throws(() => parseDigest(text), FormatError, text);
    throws(() => parseDiffId(text), FormatError, text);
    equal(isDigest(text), false, text);
  }
  throws(() => parseDigest(`sha256:${HEX}\n`), FormatError);
});

Deno.test("sha256 gives the known digest of no bytes and of abc", () => {
  equal(sha256(new Uint8Array()), `sha256:${HEX}`);
  equal(
    sha256(new TextEncoder().encode("abc")),
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("Sha256Hasher gives the digest and size of all pieces together", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), (pieces) => {
    const hasher = new Sha256Hasher();
    for (const piece of pieces) hasher.update(piece);
    const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
    const { sizeBytes } = hasher;
    deepEqual({ digest: hasher.digest(), sizeBytes }, { digest: sha256(whole), sizeBytes: whole.length });
  }));
});
