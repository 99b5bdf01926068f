/** Octal and symbolic modes. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import { parseModeChange } from "../../../src/rootfs/symbolic_mode.ts";

/** Text, mode before, mode of a file after, mode of a directory after. */
const CASES: readonly (readonly [text: string, before: number, file: number, directory: number])[] = [
  ["0", 0o777, 0, 0],
  ["644", 0o777, 0o644, 0o644],
  ["0755", 0, 0o755, 0o755],
  ["7777", 0, 0o7777, 0o7777],
  ["007777", 0, 0o7777, 0o7777],
  ["+x", 0o644, 0o755, 0o755],
  ["-w", 0o666, 0o444, 0o444],
  ["=r", 0o777, 0o444, 0o444],
  ["=", 0o777, 0, 0],
  ["a+r", 0o200, 0o644, 0o644],
  ["u+x", 0o644, 0o744, 0o744],
  ["ug+x", 0o600, 0o710, 0o710],
  ["o-rwx", 0o777, 0o770, 0o770],
  ["u=rw", 0o755, 0o655, 0o655],
  ["go=", 0o777, 0o700, 0o700],
  ["u=rwX,go=rX", 0o600, 0o644, 0o755],
  ["u=rwX,go=rX", 0o700, 0o755, 0o755],
  ["a=rX", 0o010, 0o555, 0o555],
  ["+X", 0o644, 0o644, 0o755],
  ["+X", 0o654, 0o755, 0o755],
  ["-X", 0o755, 0o755, 0o755],
  ["g=u", 0o740, 0o770, 0o770],
  ["o=g", 0o750, 0o755, 0o755],
  ["g=u", 0o2740, 0o2770, 0o2770],
  ["u=g,g=", 0o750, 0o500, 0o500],
  ["g+u", 0o740, 0o770, 0o770],
  ["u-g", 0o750, 0o250, 0o250],
  ["u+s", 0o755, 0o4755, 0o4755],
  ["g+s", 0o755, 0o2755, 0o2755],
  ["+s", 0o755, 0o6755, 0o6755],
  ["o+s", 0o755, 0o755, 0o755],
  ["+t", 0o755, 0o1755, 0o1755],
  ["o+t", 0o755, 0o755, 0o755],
  ["u=rwx", 0o4700, 0o700, 0o700],
  ["-s", 0o6755, 0o755, 0o755],
  ["=rw", 0o1777, 0o1666, 0o1666],
  ["u=rw+x", 0, 0o700, 0o700],
  ["u+r-w", 0o200, 0o400, 0o400],
  ["a-x,u+x", 0o777, 0o766, 0o766],
];

for (const [text, before, file, directory] of CASES) {
  Deno.test(`parseModeChange applies ${text} to ${before.toString(8)}`, () => {
    const change = parseModeChange(text);
    deepEqual([change.apply(before, false), change.apply(before, true)], [file, directory]);
  });
}

for (
  const text of [
    "64a",
    "8",
    "10000",
    "99999999999999999999",
    "",
    "x",
    "u",
    "u=z",
    "+x,",
    ",+x",
    "+x,,+r",
    "a b",
    "-",
    "u+r g",
  ]
) {
  const isSymbolic = text === "-";
  Deno.test(`parseModeChange ${isSymbolic ? "takes" : "refuses"} "${text}"`, () => {
    if (isSymbolic) return equal(parseModeChange(text).apply(0o644, false), 0o644);
    throws(() => parseModeChange(text), (error) => {
      const message = `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`;
      equal(error instanceof FormatError && error.message, message);
      return true;
    });
  });
}

Deno.test("parseModeChange tells octal modes, which hold for parents, from symbolic ones", () => {
  deepEqual(["0600", "u=rw", "0"].map((text) => parseModeChange(text).octal), [0o600, undefined, 0]);
});

Deno.test("parseModeChange applied twice without X and copies is the same as once", () => {
  const action = fc.tuple(
    fc.constantFrom("", "u", "g", "o", "a", "ug"),
    fc.constantFrom("+", "-", "="),
    fc.constantFrom("", "r", "wx", "s", "rt"),
  )
    .map((parts) => parts.join(""));
  fc.assert(fc.property(action, fc.integer({ min: 0, max: 0o7777 }), (text, mode) => {
    const { apply } = parseModeChange(text);
    const once = apply(mode, false);
    equal(apply(once, false), once);
    equal(once >= 0 && once <= 0o7777, true);
  }));
});
