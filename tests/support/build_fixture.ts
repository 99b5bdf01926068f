/**
 * `fixtures/builds`: Dockerfiles with contexts, and what the reference makes of them (`image.json`, or `error.json` where
 * the build must fail). Its README says how a fixture is written and recorded.
 */
import * as z from "zod/mini";
import type { Json } from "./image_description.ts";
import { pathExists } from "./path_exists.ts";
import { mustRun } from "./run_command.ts";

const FIXTURES = new URL("../../fixtures/builds", import.meta.url).pathname;
/** Everything in a context has this time unless the fixture's script sets an older one. */
const CONTEXT_TIME_S = 1_577_934_245;

const CASE = z.strictObject({
  title: z.string(),
  traps: z.optional(z.array(z.number())),
  args: z.optional(z.record(z.string(), z.string())),
  target: z.optional(z.string()),
  platform: z.optional(z.string()),
  secrets: z.optional(z.record(z.string(), z.string())),
  contexts: z.optional(z.array(z.string())),
});

const FAILURE = z.strictObject({ line: z.nullable(z.number()), message: z.string() });

/** How the reference fails: the first line it blames (null for none) and its words. */
export type ExpectedFailure = z.infer<typeof FAILURE>;

/** One fixture. */
export interface BuildFixture extends z.infer<typeof CASE> {
  readonly name: string;
  readonly folder: string;
}

/** A fixture's files, ready to be built from. */
export interface PreparedFixture {
  readonly context: string;
  readonly dockerfile: string;
  /** Secrets and named contexts, as both builders take them. */
  readonly flags: readonly string[];
}

/** All folders with a `case.json`, by name. The others belong to tests of their own. */
export async function loadBuildFixtures(): Promise<readonly BuildFixture[]> {
  const names = (await Array.fromAsync(Deno.readDir(FIXTURES))).map((entry) => entry.name).sort();
  const loaded = await Promise.all(names.map(loadBuildFixture));
  return loaded.filter((fixture) => fixture !== undefined);
}

async function loadBuildFixture(name: string): Promise<BuildFixture | undefined> {
  const folder = `${FIXTURES}/${name}`;
  if (!await pathExists(`${folder}/case.json`)) return undefined;
  const parsed = CASE.safeParse(JSON.parse(await Deno.readTextFile(`${folder}/case.json`)));
  if (!parsed.success) throw new Error(`Cannot read ${folder}/case.json: ${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, name, folder };
}

/**
 * Copies a fixture's Dockerfile and context below `folder`, with fixed modes and times, and runs its `context.sh` there
 * for what git cannot keep: owners, modes, times, hard links, archives.
 */
export async function prepareFixture(fixture: BuildFixture, folder: string): Promise<PreparedFixture> {
  // The reference takes a folder of a name that it knows for the same folder, and what seems unchanged in it from its cache.
  const context = `${folder}/context-${crypto.randomUUID()}`;
  const script = `
    umask 022
    mkdir -p "$2" && chmod 755 "$2"
    if [ -d "$1/context" ]; then cp -R "$1/context/." "$2/"; fi
    chmod -R u=rwX,go=rX "$2"
    if [ -f "$1/context.sh" ]; then (cd "$2" && sh -eu "$1/context.sh"); fi
    find "$2" -newermt @$((${CONTEXT_TIME_S} + 1)) -exec touch -h -d @${CONTEXT_TIME_S} {} +
  `;
  await mustRun(["sh", "-euc", script, "sh", fixture.folder, context], { env: { LC_ALL: "C" } });
  const flags = [...await writeSecrets(fixture, folder), ...namedContexts(fixture, context)];
  const inner = `${context}/Dockerfile`;
  if (await pathExists(inner)) return { context, dockerfile: inner, flags };
  await Deno.copyFile(`${fixture.folder}/Dockerfile`, `${folder}/Dockerfile`);
  return { context, dockerfile: `${folder}/Dockerfile`, flags };
}

async function writeSecrets({ secrets }: BuildFixture, folder: string): Promise<readonly string[]> {
  return await Promise.all(
    Object.entries(secrets ?? {}).map(async ([id, content]) => {
      const path = `${folder}/secret-${id}`;
      await Deno.writeTextFile(path, content);
      return `--secret=id=${id},src=${path}`;
    }),
  );
}

/** A named context is the folder of that name in the context. */
function namedContexts({ contexts }: BuildFixture, context: string): readonly string[] {
  return (contexts ?? []).map((name) => `--build-context=${name}=${context}/${name}`);
}

/** What the reference made of a fixture. */
export type Recording =
  | { readonly kind: "image"; readonly image: Json }
  | { readonly kind: "failure"; readonly failure: ExpectedFailure };

/** Reads a fixture's recording. Throws where there is none. */
export async function readRecording({ folder }: BuildFixture): Promise<Recording> {
  if (await pathExists(`${folder}/image.json`)) {
    return { kind: "image", image: JSON.parse(await Deno.readTextFile(`${folder}/image.json`)) };
  }
  return { kind: "failure", failure: FAILURE.parse(JSON.parse(await Deno.readTextFile(`${folder}/error.json`))) };
}

/** Writes a fixture's recording in the place of an earlier one. */
export async function writeRecording({ folder }: BuildFixture, recording: Recording): Promise<void> {
  for (const name of ["image.json", "error.json"]) {
    if (await pathExists(`${folder}/${name}`)) await Deno.remove(`${folder}/${name}`);
  }
  const [name, content] = recording.kind === "image"
    ? ["image.json", recording.image]
    : ["error.json", recording.failure];
  await Deno.writeTextFile(`${folder}/${name}`, `${JSON.stringify(content, undefined, 2)}\n`);
}
