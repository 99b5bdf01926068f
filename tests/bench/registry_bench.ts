/**
 * `deno run -A tests/bench/registry_bench.ts`: what pushing and pulling costs against a registry on this machine, beside
 * `skopeo copy` of the same image in the same run; and the connections and bytes of pushes that have little to do.
 */
import { createRegistry, type Registry } from "../../src/registry/registry.ts";
import { DEFAULT_REGISTRY_OPTIONS } from "../../src/registry/registry_options.ts";
import { systemRegistryServices } from "../../src/registry/registry_services.ts";
import { parseImageName } from "../../src/oci/reference.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault_proxy.ts";
import { startRegistry } from "../support/registry_process.ts";
import { recordingLogger } from "../support/registry_world.ts";
import { mustRun, say } from "../support/run_command.ts";
import { ensureBinaries } from "../support/set_up.ts";
import { sampleBytes, type SampleImage, sampleImage } from "../support/sample_image.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const ROUNDS = 3;
const LAYER_BYTES = [60_000_000, 30_000_000, 8_000_000, 2_000_000];
const STEPS = 60;

function openRegistry(): Registry {
  const { signal } = new AbortController();
  const given = { log: recordingLogger([]), env: {}, credentialPaths: [], signal };
  return createRegistry(DEFAULT_REGISTRY_OPTIONS, systemRegistryServices(given));
}

async function copy(from: string, to: string): Promise<void> {
  using registry = openRegistry();
  await registry.transfer(await registry.find(parseImageName(from)), parseImageName(to));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function best(times: readonly number[]): number {
  return Math.min(...times);
}

async function throughput(): Promise<void> {
  await using registry = await startRegistry();
  await using folder = await makeTempDir();
  const { host } = registry;
  await pushImage(host, "source:1", sampleImage(LAYER_BYTES.map((size, index) => sampleBytes(size, index + 1))));
  await copy(`${host}/source:1`, `oci-layout://${folder.path}/plain:1`);
  // Compressed beforehand, so that neither side has to.
  const compress = ["--dest-compress", `oci:${folder.path}/plain:1`, `oci:${folder.path}/source:1`];
  await mustRun(["skopeo", "copy", "--quiet", "--insecure-policy", ...compress]);
  const flags = ["copy", "--quiet", "--insecure-policy", "--src-tls-verify=false"];
  const times = { push: [] as number[], pull: [] as number[], skopeoPush: [] as number[], skopeoPull: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    await using fresh = await startRegistry();
    await using other = await startRegistry();
    const layout = `${folder.path}/source`;
    times.push.push(await timed(() => copy(`oci-layout://${layout}:1`, `${fresh.host}/a:1`)));
    const toOther = ["--dest-tls-verify=false", `oci:${layout}:1`, `docker://${other.host}/a:1`];
    times.skopeoPush.push(await timed(() => mustRun(["skopeo", "copy", "--quiet", "--insecure-policy", ...toOther])));
    times.pull.push(await timed(() => copy(`${fresh.host}/a:1`, `oci-layout://${folder.path}/k${round}:1`)));
    const toLayout = [`docker://${other.host}/a:1`, `oci:${folder.path}/s${round}:1`];
    times.skopeoPull.push(await timed(() => mustRun(["skopeo", ...flags, ...toLayout])));
  }
  const bytes = LAYER_BYTES.reduce((sum, size) => sum + size, 0);
  const line = (what: string, ours: number, theirs: number): void => {
    const rate = Math.round(bytes / ours / 1000);
    say(
      `${what}: ${Math.round(ours)} ms (${rate} MB/s), skopeo ${Math.round(theirs)} ms, ratio ${
        (theirs / ours).toFixed(2)
      }`,
    );
  };
  line("push", best(times.push), best(times.skopeoPush));
  line("pull", best(times.pull), best(times.skopeoPull));
}

async function pushImage(host: string, name: string, image: SampleImage): Promise<void> {
  using registry = openRegistry();
  await registry.push(image, [parseImageName(`${host}/${name}`)]);
}

/** Connections, calls and bytes of body that `work` costs. */
async function cost(what: string, proxy: FaultProxy, work: () => Promise<void>): Promise<void> {
  const before = { connections: proxy.connections(), calls: proxy.calls.length, sent: proxy.moved.sentBytes };
  await work();
  const calls = proxy.calls.length - before.calls;
  const sent = proxy.moved.sentBytes - before.sent;
  say(`${what}: ${proxy.connections() - before.connections} connections, ${calls} calls, ${sent} bytes sent`);
}

async function costs(): Promise<void> {
  await using registry = await startRegistry();
  await using proxy = startFaultProxy(registry.host);
  const layers = Array.from({ length: STEPS }, (_, index) => sampleBytes(20_000, index + 1));
  const image = sampleImage(layers);
  const changed = sampleImage([...layers.slice(0, -1), sampleBytes(20_000, 1000)]);
  await cost(`push of ${STEPS} layers`, proxy, () => pushImage(proxy.host, "app:1", image));
  await cost("push of the same to a second tag", proxy, () => pushImage(proxy.host, "app:2", image));
  await cost("push with one layer changed", proxy, () => pushImage(proxy.host, "app:3", changed));
  await cost("copy to another repository", proxy, () => copy(`${proxy.host}/app:3`, `${proxy.host}/other:1`));
}

/** A build of many steps, cold and with all of them in the cache: one process each, through the proxy. */
async function cachedBuild(): Promise<void> {
  await using registry = await startRegistry();
  await using proxy = startFaultProxy(registry.host);
  await using folder = await makeTempDir();
  const names = Array.from({ length: STEPS }, (_, index) => `f${index}`);
  for (const name of names) await Deno.writeTextFile(`${folder.path}/${name}`, name);
  const steps = names.map((name) => `COPY ${name} /${name}\n`);
  await Deno.writeTextFile(`${folder.path}/Dockerfile`, `FROM scratch\n${steps.join("")}`);
  const { kiln } = await ensureBinaries();
  const flags = ["--isolation=chroot", `--context=${folder.path}`, "--cache", "--cache-copy-layers", "--reproducible"];
  const build = async (): Promise<void> => {
    await mustRun([kiln, ...flags, `--destination=${proxy.host}/app:1`]);
  };
  await cost(`build of ${STEPS} COPY steps with an empty cache`, proxy, build);
  await cost("the same build from the cache", proxy, build);
}

if (import.meta.main) {
  await throughput();
  await costs();
  await cachedBuild();
}
