/** The comma-separated fields of a --mount, with quotes as CSV has them. Source: RFC 4180; BuildKit reads one record. */

/**
 * The fields of `text`; undefined where a quote stands or is missing where it may not.
 * @example
 * ```ts
 * import { csvFields } from "./csv_fields.ts";
 * import { deepEqual } from "node:assert/strict";
 * deepEqual(csvFields('type=bind,"source=a,b",ro'), ["type=bind", "source=a,b", "ro"]);
 * ```
 */
export function csvFields(text: string): readonly string[] | undefined {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (let isLast = false; !isLast;) {
    const match = field.exec(text);
    if (match === null) return undefined;
    fields.push(match[1] === undefined ? match[2] ?? "" : match[1].replaceAll('""', '"'));
    isLast = match[3] === "";
  }
  return fields;
}
