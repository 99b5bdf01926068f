import { deepEqual, equal } from "node:assert/strict";
import { parseProfiles, readAwsProfile } from "../../../src/registry/aws_profile.ts";

Deno.test("parseProfiles reads sections of both spellings and passes over what is none", () => {
  const profiles = parseProfiles(
    "; comment\nlost = 1\n[default]\r\nRegion=eu-west-1\n# x = y\ns3 =\n  nested = 2\n[profile ci ] # why\na = b=c \n[ci]\nd=e",
  );
  deepEqual([...profiles.get("default") ?? []], [["region", "eu-west-1"], ["s3", ""]]);
  deepEqual([...profiles.get("ci") ?? []], [["a", "b=c"], ["d", "e"]]);
});

Deno.test("readAwsProfile puts the credentials file above the config file, where the environment says", async () => {
  const files: Readonly<Record<string, string>> = {
    "/home/me/.aws/config": "[profile p]\na = config\nb = config",
    "/home/me/.aws/credentials": "[p]\na = credentials",
    "/else": "[p]\na = else",
  };
  const readTextFile = (path: string): Promise<string | undefined> => Promise.resolve(files[path]);
  const usual = await readAwsProfile("p", { env: { HOME: "/home/me" }, readTextFile });
  deepEqual([...usual], [["a", "credentials"], ["b", "config"]]);
  const env = { HOME: "/home/me", AWS_SHARED_CREDENTIALS_FILE: "/else", AWS_CONFIG_FILE: "/none" };
  deepEqual([...await readAwsProfile("p", { env, readTextFile })], [["a", "else"]]);
  equal((await readAwsProfile("p", { env: {}, readTextFile })).size, 0);
});
