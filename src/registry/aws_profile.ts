/** AWS's shared files, ~/.aws/credentials and ~/.aws/config: the settings of one profile. */
import type { CloudServices } from "./cloud_call.ts";

/** The settings of a profile, names in lower case. */
export type AwsProfile = ReadonlyMap<string, string>;

/** The settings of `name` in both files, those of the credentials file first; empty where neither has it. */
export async function readAwsProfile(
  name: string,
  { env, readTextFile }: Pick<CloudServices, "env" | "readTextFile">,
): Promise<AwsProfile> {
  const folder = env.HOME === undefined ? undefined : `${env.HOME}/.aws`;
  const credentials = env.AWS_SHARED_CREDENTIALS_FILE || (folder && `${folder}/credentials`);
  const config = env.AWS_CONFIG_FILE || (folder && `${folder}/config`);
  const fromConfig = config ? parseProfiles(await readTextFile(config) ?? "") : new Map();
  const fromCredentials = credentials ? parseProfiles(await readTextFile(credentials) ?? "") : new Map();
  return new Map([...fromConfig.get(name) ?? [], ...fromCredentials.get(name) ?? []]);
}

/**
 * The sections of such a file; `[profile x]` and `[x]` are the same. Lines that are neither header nor setting, and the
 * indented settings of a nested section, are passed over.
 *
 * @example
 * ```ts
 * import { parseProfiles } from "./aws_profile.ts";
 * import { equal } from "node:assert/strict";
 * equal(parseProfiles("[profile ci]\nregion = eu-west-1").get("ci")?.get("region"), "eu-west-1");
 * ```
 */
export function parseProfiles(text: string): ReadonlyMap<string, AwsProfile> {
  const profiles = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) {
      current = profiles.get(header) ?? new Map<string, string>();
      profiles.set(header, current);
      continue;
    }
    const setting = /^([A-Za-z0-9_.-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (setting !== null && current !== undefined) current.set((setting[1] ?? "").toLowerCase(), setting[2] ?? "");
  }
  return profiles;
}
