import { deepEqual, equal, throws } from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import { latin1Bytes, type PaxRecord } from "../../../src/tar/pax.ts";
import {
  checkSparseParts,
  readGnuParts,
  readPaxSparse,
  SparseExpander,
  type SparsePart,
} from "../../../src/tar/sparse.ts";

Deno.test("readPaxSparse reads the map of each version", () => {
  const parts = [{ offset: 0, length: 3 }, { offset: 10, length: 2 }];
  deepEqual(
    readPaxSparse(
      records("size=12", "numblocks=2", "offset=0", "numbytes=3", "offset=10", "numbytes=2"),
    ),
    { sizeBytes: 12, parts, path: undefined },
  );
  deepEqual(readPaxSparse(records("size=12", "numblocks=2", "map=0,3,10,2", "name=a")), {
    sizeBytes: 12,
    parts,
    path: "a",
  });
  deepEqual(readPaxSparse(records("major=1", "minor=0", "name=a", "realsize=12")), {
    sizeBytes: 12,
    parts: undefined,
    path: "a",
  });
  equal(readPaxSparse([["path", latin1Bytes("a")]]), undefined);
});

for (const map of ["1", "1,2,3", "a,b", "1,-2", "99999999999999999,1"]) {
  Deno.test(`readPaxSparse fails when the map is "${map}"`, () => {
    throws(() => readPaxSparse(records("size=12", `map=${map}`)), FormatError);
  });
}

Deno.test("readPaxSparse fails when the version is unknown or the size is missing", () => {
  throws(() => readPaxSparse(records("major=2", "realsize=1")), FormatError);
  throws(() => readPaxSparse(records("major=1", "minor=0")), FormatError);
});

Deno.test("readGnuParts stops at the first empty part", () => {
  const block = new Uint8Array(512);
  block.set(latin1Bytes("00000000001\x0000000000002\x0000000000010\x0000000000003\0"));
  deepEqual(readGnuParts(block, 0, 21), [{ offset: 1, length: 2 }, { offset: 8, length: 3 }]);
  block.set(latin1Bytes("zzz"));
  throws(() => readGnuParts(block, 0, 21), FormatError);
});

const wrongParts: readonly (readonly [name: string, parts: readonly SparsePart[]])[] = [
  ["overlap", [{ offset: 0, length: 4 }, { offset: 3, length: 2 }]],
  ["are out of order", [{ offset: 6, length: 4 }, { offset: 0, length: 2 }]],
  ["end beyond the file", [{ offset: 5, length: 6 }]],
  ["do not add up to what is stored", [{ offset: 0, length: 5 }]],
];
for (const [name, parts] of wrongParts) {
  Deno.test(`checkSparseParts fails when parts ${name}`, () => {
    throws(() => checkSparseParts(parts, 10, 6), FormatError);
  });
}

Deno.test("SparseExpander fills the holes when pieces are of any size", () => {
  const parts = [{ offset: 2, length: 3 }, { offset: 5, length: 0 }, { offset: 7, length: 1 }, {
    offset: 10,
    length: 0,
  }];
  for (const piece of [1, 2, 3, 4]) equal(expand(parts, 10, "abcd", piece), "..abc..d..");
});

Deno.test("SparseExpander reads the map in front of the data when there is none in the header", () => {
  const map = "2\n2\n3\n7\n1\n".padEnd(512, "\0");
  for (const piece of [1, 7, 511, 512, 513, 600]) equal(expand(undefined, 10, `${map}abcd`, piece), "..abc..d..");
  equal(expand(undefined, 4, "0\n".padEnd(512, "\0"), 512), "....");
});

for (
  const [name, text] of [
    ["no number", "x\n"],
    ["a number too long", "1".repeat(30)],
    ["too many parts", "1048577\n"],
    ["a part beyond the file", "1\n2\n99\n".padEnd(512, "\0")],
    ["less data than it names", "1\n2\n3\n".padEnd(512, "\0") + "ab"],
    ["more data than it names", "1\n2\n3\n".padEnd(512, "\0") + "abcd"],
    ["no end", "1\n2\n"],
  ] as const
) {
  Deno.test(`SparseExpander fails when the map in front of the data has ${name}`, () => {
    throws(() => expand(undefined, 10, text, 100), FormatError);
  });
}

function records(...texts: readonly string[]): PaxRecord[] {
  return texts.map((text) => {
    const [name = "", value = ""] = text.split("=");
    return [`GNU.sparse.${name}`, latin1Bytes(value)];
  });
}

function expand(parts: readonly SparsePart[] | undefined, sizeBytes: number, stored: string, piece: number): string {
  let text = "";
  const expander = new SparseExpander(parts, sizeBytes, {
    data: (chunk) => text += String.fromCharCode(...chunk),
    hole: (size) => text += ".".repeat(size),
  });
  const bytes = latin1Bytes(stored);
  for (let at = 0; at < bytes.length; at += piece) expander.push(bytes.subarray(at, at + piece));
  expander.finish();
  return text;
}
