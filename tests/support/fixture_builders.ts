/** The two builders that `fixtures/builds` compares, kiln and the reference: each turns a fixture into what it made of it. */
import type { BuildFixture, PreparedFixture, Recording } from "./build_fixture.ts";
import { hubFlags } from "./build_world.ts";
import { BUSYBOX_NAMES, busyboxLayout, DEBIAN_NAMES, debianLayout, pushBusybox, pushDebian } from "./debian_base.ts";
import { describeImage, type Json, layerDigests } from "./image_description.ts";
import { type FixtureServer, startFixtureServer } from "./fixture_server.ts";
import type { ReferenceDocker } from "./reference_docker.ts";
import { type RegistryProcess, startRegistry } from "./registry_process.ts";
import { runCommand } from "./run_command.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const SERVER_NAME = "SERVER_URL";
const KILN_TIMEOUT_MS = 180_000;

/** A registry with the base images, the digests of their layers, and a web server. Disposing stops them. */
export interface BaseRegistry extends AsyncDisposable {
  readonly registry: RegistryProcess;
  readonly server: FixtureServer;
  readonly layers: ReadonlySet<string>;
}

/** Where a fixture is built: its files and an absent folder for the layout. */
export interface FixtureBuild {
  readonly fixture: BuildFixture;
  readonly files: PreparedFixture;
  readonly layout: string;
}

/** Starts a registry with busybox and Debian under the names that Dockerfiles use. */
export async function startBaseRegistry(): Promise<BaseRegistry> {
  const layouts = [await busyboxLayout(), await debianLayout()];
  const layers = new Set((await Promise.all(layouts.map(layerDigests))).flat());
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry());
  await pushBusybox(registry);
  await pushDebian(registry);
  const server = stack.use(await startFixtureServer());
  const owned = stack.move();
  return { registry, server, layers, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Builds with kiln from its sources. */
export async function buildWithKiln(build: FixtureBuild, base: BaseRegistry): Promise<Recording> {
  const { fixture, files, layout } = build;
  const command = [Deno.execPath(), "run", "-A", "--quiet", "--frozen", MAIN, "--isolation=chroot", "--no-push"];
  const input = [`--context=${files.context}`, `--dockerfile=${files.dockerfile}`, `--oci-layout-path=${layout}`];
  const choices = fixture.platform === undefined ? [] : [`--custom-platform=${fixture.platform}`];
  const flags = [
    ...hubFlags(base.registry),
    ...choices,
    ...files.flags,
    ...sharedFlags(fixture, base),
    "--log-format=json",
  ];
  const result = await runCommand([...command, ...input, ...flags], { timeoutMs: KILN_TIMEOUT_MS });
  if (result.code === 0) return { kind: "image", image: await describe(layout, base) };
  return kilnFailure(result.stderr);
}

/** Builds with the reference. */
export async function buildWithReference(
  { fixture, files, layout }: FixtureBuild,
  base: BaseRegistry,
  docker: ReferenceDocker,
): Promise<Recording> {
  const names = [...BUSYBOX_NAMES, ...DEBIAN_NAMES].filter((name) => !name.includes("/"));
  const bases = names.map((name) =>
    `--build-context=${name.replace(/:latest$/, "")}=docker-image://${base.registry.host}/${name}`
  );
  const choices = fixture.platform === undefined ? [] : [`--platform=${fixture.platform}`];
  const flags = [...bases, ...choices, ...files.flags, ...sharedFlags(fixture, base)];
  const result = await docker.build({ ...files, layout, flags });
  if (result.code === 0) return { kind: "image", image: await describe(layout, base) };
  return referenceFailure(result.stderr);
}

/** A value of SERVER_URL becomes the server's own, and that becomes SERVER_URL again in the description. */
export function sharedFlags(
  { args, target }: BuildFixture,
  { server }: Pick<BaseRegistry, "server">,
): readonly string[] {
  const values = Object.entries(args ?? {}).map(([name, value]) => {
    return `--build-arg=${name}=${value === SERVER_NAME ? server.url : value}`;
  });
  return [...values, ...target === undefined ? [] : [`--target=${target}`]];
}

async function describe(layout: string, { layers, server }: BaseRegistry): Promise<Json> {
  const image = await describeImage(layout, layers);
  return JSON.parse(JSON.stringify(image).replaceAll(server.url, SERVER_NAME));
}

/** The last record of the log: message and line. */
function kilnFailure(stderr: string): Recording {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const { msg, line } = JSON.parse(last);
  return { kind: "failure", failure: { line: typeof line === "number" ? line : null, message: firstLine(msg) } };
}

/** The last ERROR line, and the first marked line of the excerpt above it. */
function referenceFailure(stderr: string): Recording {
  const message = stderr.match(/^ERROR: (?:failed to build: )?(?:failed to solve: )?(.*)$/m)?.[1];
  if (message === undefined) throw new Error(`Cannot find the reference's error in:\n${stderr.slice(-3000)}`);
  const marked = stderr.match(/^ *(\d+) \| >>> /m)?.[1] ?? message.match(/parse error on line (\d+)/)?.[1];
  const stable = message.replace(/ ref \S+::\S+: /, " ").replace(/\/var\/lib\/docker\/\S*\/buildkit\d+/, "");
  return { kind: "failure", failure: { line: marked === undefined ? null : Number(marked), message: stable } };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
