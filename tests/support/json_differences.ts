/** Where two JSON values differ. */
import type { Json } from "./image_description.ts";

/** One place: path with dots, and what stands there on each side; undefined where nothing does. */
export interface Difference {
  readonly at: string;
  readonly expected: Json | undefined;
  readonly actual: Json | undefined;
}

/** All differences, in the order of the expected value; none for equal values. The order of an object's keys is no difference. */
export function jsonDifferences(expected: Json | undefined, actual: Json | undefined, at = ""): readonly Difference[] {
  if (isTree(expected) && isTree(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    const [left, right] = [new Map(Object.entries(expected)), new Map(Object.entries(actual))];
    const keys = [...left.keys(), ...[...right.keys()].filter((key) => !left.has(key))];
    return keys.flatMap((key) => jsonDifferences(left.get(key), right.get(key), at === "" ? key : `${at}.${key}`));
  }
  return Object.is(expected, actual) ? [] : [{ at, expected, actual }];
}

/** Differences as lines for people. */
export function formatDifferences(differences: readonly Difference[]): string {
  return differences.map(({ at, expected, actual }) =>
    `${at}:\n  expected ${JSON.stringify(expected)}\n  actual   ${JSON.stringify(actual)}`
  ).join("\n");
}

function isTree(value: Json | undefined): value is Exclude<Json, null | boolean | number | string> {
  return typeof value === "object" && value !== null;
}
