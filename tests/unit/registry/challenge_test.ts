import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { parseChallenges } from "../../../src/registry/challenge.ts";

function plain(header: string): unknown {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

Deno.test("parseChallenges reads schemes and parameters", () => {
  const cases: readonly [header: string, expected: unknown][] = [
    ["", []],
    ["Basic", [["basic", {}]]],
    ['BASIC Realm="a b"', [["basic", { realm: "a b" }]]],
    ['Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"', [
      ["bearer", { realm: "https://a/t", service: "s", scope: "repository:a/b:pull,push" }],
    ]],
    ['Bearer realm = "x" , error=invalid_token', [["bearer", { realm: "x", error: "invalid_token" }]]],
    ['Negotiate, Basic realm="r", Bearer realm="t"', [["negotiate", {}], ["basic", { realm: "r" }], [
      "bearer",
      { realm: "t" },
    ]]],
    ['Basic realm="a \\"q\\" \\\\ b"', [["basic", { realm: 'a "q" \\ b' }]]],
    ['Basic realm="open', [["basic", { realm: "open" }]]],
    ['Basic realm="first", realm="second"', [["basic", { realm: "first" }]]],
    [',,, =x ;"', [["x", {}], [";", {}]]],
  ];
  for (const [header, expected] of cases) deepEqual(plain(header), expected, header);
});

Deno.test("parseChallenges is bounded and never throws", () => {
  ok(parseChallenges("a,".repeat(100_000)).length <= 16);
  const realm = parseChallenges(`Basic realm="${"x".repeat(100_000)}"`)[0]?.parameters.get("realm") ?? "";
  ok(realm.length > 0 && realm.length <= 8192);
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", " ", ",", "=", '"', "\\", "\u0000") }), (header) => {
    for (const { scheme } of parseChallenges(header)) equal(scheme, scheme.toLowerCase());
  }));
});
