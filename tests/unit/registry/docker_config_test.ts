import { deepEqual, equal, throws } from "node:assert/strict";
import {
  matchingAuths,
  matchingProgram,
  parseDockerConfig,
  programServerAddress,
} from "../../../src/registry/docker_config.ts";

const AUTH = btoa("user:pa:ss");
const config = (document: unknown): ReturnType<typeof parseDockerConfig> =>
  parseDockerConfig(JSON.stringify(document), "/c.json");

Deno.test("parseDockerConfig reads every kind of entry", () => {
  const cases: readonly [entry: unknown, expected: unknown][] = [
    [{ auth: AUTH }, { kind: "basic", username: "user", password: "pa:ss" }],
    [{ auth: btoa("user:p\0\0") }, { kind: "basic", username: "user", password: "p" }],
    [{ auth: btoa(String.fromCharCode(...new TextEncoder().encode("ü:é"))) }, {
      kind: "basic",
      username: "ü",
      password: "é",
    }],
    [{ username: "u", password: "p", auth: AUTH }, { kind: "basic", username: "u", password: "p" }],
    [{ auth: AUTH, identitytoken: "i" }, { kind: "identity-token", token: "i" }],
    [{ registrytoken: "r", identitytoken: "i" }, { kind: "registry-token", token: "r" }],
    [{}, undefined],
    [{ auth: "" }, undefined],
    [{ auth: null, email: "x" }, undefined],
  ];
  for (const [entry, expected] of cases) deepEqual(config({ auths: { "r.io": entry } }).auths[0]?.credential, expected);
});

Deno.test("parseDockerConfig throws FormatError with the path and without the secret", () => {
  for (const text of ["{", '{"auths":5}', '{"auths":{"r.io":"x"}}', '{"credHelpers":{"a":1}}']) {
    throws(() => parseDockerConfig(text, "/c.json"), /Cannot read credentials in \/c\.json/);
  }
  throws(
    () => config({ auths: { "r.io": { auth: "c2VjcmV0" } } }),
    (error: unknown) =>
      error instanceof Error && /"auth" of "r.io" is not base64/.test(error.message) && !error.message.includes("c2Vj"),
  );
  throws(() => config({ auths: { "r.io": { auth: "%%%" } } }), /is not base64/);
});

Deno.test("matchingAuths matches hosts, URLs, Docker Hub's old name and paths, the longest first", () => {
  const names = (keys: readonly string[], registry: string, repository: string): readonly string[] => {
    const auths = Object.fromEntries(keys.map((key) => [key, { username: key, password: "p" }]));
    return matchingAuths(config({ auths }), { registry, repository })
      .map(({ credential }) => credential.kind === "basic" ? credential.username : "");
  };
  deepEqual(names(["r.io", "https://r.io/v2/", "other.io"], "r.io", "a"), ["r.io", "https://r.io/v2/"]);
  deepEqual(names(["https://index.docker.io/v1/", "docker.io/a"], "index.docker.io", "library/x"), [
    "https://index.docker.io/v1/",
  ]);
  deepEqual(names(["r.io", "r.io/a", "r.io/a/b", "r.io/ab"], "r.io", "a/b"), ["r.io/a/b", "r.io/a", "r.io"]);
  deepEqual(names(["r.io.evil.io", "evil-r.io", "r.io:5000"], "r.io", "a"), []);
});

Deno.test("matchingProgram prefers the repository's own entry", () => {
  const { credHelpers } = config({ credHelpers: { "r.io": "host", "https://r.io/a": "repository" } });
  const found = config({ credHelpers: Object.fromEntries(credHelpers) });
  equal(matchingProgram(found, { registry: "r.io", repository: "a" }), "repository");
  equal(matchingProgram(found, { registry: "r.io", repository: "b" }), "host");
  equal(matchingProgram(found, { registry: "x.io", repository: "b" }), undefined);
  equal(programServerAddress("index.docker.io"), "https://index.docker.io/v1/");
  equal(programServerAddress("r.io"), "r.io");
});
