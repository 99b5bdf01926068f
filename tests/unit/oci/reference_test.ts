import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import {
  formatReference,
  parseImageName,
  parseReference,
  referenceTarget,
  repositoryName,
} from "../../../src/oci/reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

Deno.test("parseReference completes and splits names", () => {
  const cases: readonly [text: string, expected: string][] = [
    ["debian", "index.docker.io/library/debian:latest"],
    ["debian:12", "index.docker.io/library/debian:12"],
    ["docker.io/debian", "index.docker.io/library/debian:latest"],
    ["registry-1.docker.io/a/b", "index.docker.io/a/b:latest"],
    ["a/b:c", "index.docker.io/a/b:c"],
    ["localhost/a", "localhost/a:latest"],
    ["localhost:5000/a:1", "localhost:5000/a:1"],
    ["[::1]:5000/a", "[::1]:5000/a:latest"],
    ["ghcr.io/o/r/x__y-z.w:T_1", "ghcr.io/o/r/x__y-z.w:T_1"],
    [`r.io/a@${DIGEST}`, `r.io/a@${DIGEST}`],
    [`r.io/a:t@${DIGEST}`, `r.io/a:t@${DIGEST}`],
  ];
  for (const [text, expected] of cases) equal(formatReference(parseReference(text)), expected, text);
});

Deno.test("parseReference throws FormatError when the text is no reference", () => {
  const texts = ["", "Debian", "a b", "a:", "a:-x", "a@sha256:12", `a@${DIGEST}@${DIGEST}`, "r.io/", "/a", "r.io//a"];
  for (const text of [...texts, "a/../b", "r.io:x/a", `a:${"t".repeat(129)}`, "http://r.io/a"]) {
    throws(() => parseReference(text), FormatError, text);
  }
});

Deno.test("referenceTarget is the digest, then the tag, then latest", () => {
  equal(referenceTarget(parseReference(`a:t@${DIGEST}`)), DIGEST);
  equal(referenceTarget(parseReference("a:t")), "t");
  equal(referenceTarget(parseReference("a")), "latest");
  equal(repositoryName(parseReference(`a:t@${DIGEST}`)), "index.docker.io/library/a");
});

Deno.test("parseReference undoes formatReference", () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,5}(?:[._-][a-z0-9]{1,5})?$/);
  const registry = fc.constantFrom("localhost:5000", "r.example", "127.0.0.1:80", "index.docker.io");
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,10}$/);
  fc.assert(fc.property(registry, fc.array(part, { minLength: 2, maxLength: 4 }), tag, (host, path, name) => {
    const text = `${host}/${path.join("/")}:${name}`;
    const reference = parseReference(text);
    equal(formatReference(reference), text);
    deepEqual(parseReference(formatReference(reference)), reference);
  }));
});

Deno.test("parseImageName knows images in files, which stay what they are", () => {
  const local = parseImageName("oci-layout:///srv/base");
  deepEqual(local.local, { kind: "oci-layout", path: "/srv/base" });
  equal(formatReference(local), "oci-layout:///srv/base");
  deepEqual(parseImageName("debian:12"), parseReference("debian:12"));
});
