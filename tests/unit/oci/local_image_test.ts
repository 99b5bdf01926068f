import { deepEqual, equal, throws } from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import { formatLocalImage, type LocalImage, parseLocalImage } from "../../../src/oci/local_image.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

Deno.test("parseLocalImage splits path and target, and formatLocalImage joins them", () => {
  const cases: readonly [text: string, expected: LocalImage][] = [
    ["oci-layout:///srv/base", { kind: "oci-layout", path: "/srv/base" }],
    ["oci-layout://images/base:1.2", { kind: "oci-layout", path: "images/base", target: "1.2" }],
    ["oci-layout:///a:b/base", { kind: "oci-layout", path: "/a:b/base" }],
    [`oci-layout:///srv/base@${DIGEST}`, { kind: "oci-layout", path: "/srv/base", target: DIGEST }],
    ["docker-archive:///srv/app.tar", { kind: "docker-archive", path: "/srv/app.tar" }],
    ["docker-archive://app.tar:r.io:5000/app:1", {
      kind: "docker-archive",
      path: "app.tar",
      target: "r.io:5000/app:1",
    }],
  ];
  for (const [text, expected] of cases) {
    deepEqual(parseLocalImage(text), expected, text);
    equal(formatLocalImage(expected), text);
  }
});

Deno.test("parseLocalImage leaves references alone", () => {
  for (const text of ["debian", "oci-layout:5000/a", "docker-archive", "r.io/oci-layout://x"]) {
    equal(parseLocalImage(text), undefined, text);
  }
});

Deno.test("parseLocalImage throws FormatError when path or target is missing", () => {
  const texts = ["oci-layout://", "oci-layout://:1", "docker-archive:///a.tar:", "oci-layout:///a@sha256:12"];
  for (const text of texts) throws(() => parseLocalImage(text), FormatError, text);
});
