/**
 * `node:assert/strict` as Node has it: under Deno its short names compare loosely (`equal(1, "1")` passes). The import
 * map puts this file in its place.
 */
import assert from "node:assert";

export {
  AssertionError,
  deepStrictEqual,
  deepStrictEqual as deepEqual,
  doesNotMatch,
  doesNotReject,
  doesNotThrow,
  fail,
  ifError,
  match,
  notDeepStrictEqual,
  notDeepStrictEqual as notDeepEqual,
  notStrictEqual,
  notStrictEqual as notEqual,
  ok,
  rejects,
  strictEqual,
  strictEqual as equal,
  throws,
} from "node:assert";

const { deepStrictEqual, notDeepStrictEqual, notStrictEqual, strictEqual } = assert;

/** The default import: all of the above, callable as `assert(value)`. */
export default Object.assign((value: unknown, message?: string): void => assert.ok(value, message), assert, {
  deepEqual: deepStrictEqual,
  equal: strictEqual,
  notDeepEqual: notDeepStrictEqual,
  notEqual: notStrictEqual,
});
