import { deepEqual, equal, throws } from "node:assert/strict";
import { parseReference, type Reference, repositoryName } from "../../../src/oci/reference.ts";
import { confSources, parseRegistriesConf } from "../../../src/registry/registries_conf.ts";

const CONF = parseRegistriesConf(
  `
unqualified-search-registries = ["docker.io"]
short-name-mode = "enforcing"
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "mirror.local:5000/hub"
insecure = true
[[registry.mirror]]
location = "second.local"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "docker.io/library/secret"
blocked = true
[[registry]]
prefix = "*.corp.example"
[[registry.mirror]]
location = "corp.local/x"
[[registry]]
location = "old.example/team"
prefix = "new.example/team"
[aliases]
"debian" = "docker.io/library/debian"
`,
  "/c.conf",
);

function sources(text: string): readonly string[] | undefined {
  return confSources(CONF, parseReference(text))?.map((source) => repositoryName(source as Reference));
}

Deno.test("confSources gives the mirrors of the rule with the longest prefix, then its location", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const cases: readonly [text: string, expected: readonly string[] | undefined][] = [
    ["debian:12", ["mirror.local:5000/hub/library/debian", "index.docker.io/library/debian"]],
    [`a/b@${digest}`, ["mirror.local:5000/hub/a/b", "second.local/a/b", "index.docker.io/a/b"]],
    ["r.corp.example:99/a", ["corp.local/x/a", "r.corp.example:99/a"]],
    ["corp.example/a", undefined],
    ["evilcorp.example/a", undefined],
    ["new.example/team/app", ["old.example/team/app"]],
    ["new.example/teams/app", undefined],
    ["other.example/a", undefined],
  ];
  for (const [text, expected] of cases) deepEqual(sources(text), expected, text);
  deepEqual(CONF.insecureHosts, ["mirror.local:5000"]);
});

Deno.test("confSources throws when the rule blocks", () => {
  throws(
    () => sources("secret"),
    /Cannot pull docker.io\/library\/secret: \/c.conf blocks "docker.io\/library\/secret"/,
  );
  equal(sources("secrets")?.length, 2);
});

Deno.test("parseRegistriesConf names file and line when a table is wrong", () => {
  const cases: readonly [text: string, reason: RegExp][] = [
    ["[registries.search]\nregistries = []", /line 1: this is version 1/],
    ["\n[[registry]]\nblocked = true", /line 2: it has neither prefix nor location/],
    ['[[registry.mirror]]\nlocation = "a"', /before any/],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]', /line 3: it has no location/],
    ['[[registry]]\nlocation = "a"\ninsecure = "yes"', /"insecure" must be true or false/],
    ['[[registry]]\nlocation = "a"\nspeed = 3', /"speed" is not understood/],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation="b"\npull-from-mirror="never"', /"never"/],
  ];
  for (const [text, reason] of cases) throws(() => parseRegistriesConf(text, "/c.conf"), reason, text);
});
