import { deepEqual, equal, throws } from "node:assert/strict";
import * as z from "zod/mini";
import { FormatError } from "../../../src/errors.ts";
import {
  checkDocument,
  decodeJson,
  encodeJson,
  nonEmptyList,
  nonEmptyMap,
  sortedMap,
} from "../../../src/oci/json_document.ts";

const KIND = { name: "thing", maxBytes: 40 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("decodeJson drops members that are null", () => {
  deepEqual(decodeJson(bytes('{"a":null,"b":{"c":null,"d":1}}'), KIND), { b: { d: 1 } });
});

Deno.test("decodeJson throws FormatError when the bytes are too many, not UTF-8 or not JSON", () => {
  throws(() => decodeJson(new Uint8Array(41), KIND), /Cannot read thing: 41 bytes, more than the limit of 40/);
  throws(() => decodeJson(new Uint8Array([0x22, 0xff, 0x22]), KIND), FormatError);
  throws(() => decodeJson(bytes("{"), KIND), /Cannot read thing: it is not JSON/);
});

Deno.test("checkDocument names the first member that does not fit", () => {
  const schema = z.object({ list: z.array(z.object({ size: z.number() })) });
  deepEqual(checkDocument(schema, { list: [{ size: 1 }] }, KIND), { list: [{ size: 1 }] });
  throws(
    () => checkDocument(schema, { list: [{ size: "x" }] }, KIND),
    /Cannot read thing: "list.0.size" is missing or not valid \(expected number\)/,
  );
  throws(() => checkDocument(schema, 5, KIND), /Cannot read thing: the document/);
});

Deno.test("sortedMap and encodeJson give equal bytes for equal maps", () => {
  const text = (map: Record<string, string>): string => new TextDecoder().decode(encodeJson(sortedMap(map)));
  equal(text({ b: "<1>", a: "2" }), '{"a":"2","b":"<1>"}');
  equal(text({ a: "2", b: "<1>" }), text({ b: "<1>", a: "2" }));
});

Deno.test("nonEmptyList and nonEmptyMap leave out what is empty or absent", () => {
  for (const none of [undefined, null, []]) equal(nonEmptyList(none), undefined);
  for (const none of [undefined, null, {}]) equal(nonEmptyMap(none), undefined);
  deepEqual(nonEmptyList([1]), [1]);
  deepEqual(nonEmptyMap({ a: 1 }), { a: 1 });
});
