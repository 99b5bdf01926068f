/** Push and pull through a proxy that breaks what it can, in front of Debian's registry: recovery, or one clear error. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { OciLayout } from "../../src/blob/oci_layout.ts";
import { createRegistry, type Registry } from "../../src/registry/registry.ts";
import { DEFAULT_REGISTRY_OPTIONS } from "../../src/registry/registry_options.ts";
import { systemRegistryServices } from "../../src/registry/registry_services.ts";
import { parseImageName, parseReference } from "../../src/oci/reference.ts";
import { errorText } from "../../src/errors.ts";
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from "../support/fault_proxy.ts";
import { type RegistryProcess, startRegistry } from "../support/registry_process.ts";
import { recordingLogger } from "../support/registry_world.ts";
import { sampleBytes, type SampleImage, sampleImage } from "../support/sample_image.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const SIZE = 700_000;
const IMAGE = sampleImage([sampleBytes(SIZE), sampleBytes(1234, 5)]);

function openRegistry(): Registry {
  const services = systemRegistryServices({
    log: recordingLogger([]),
    env: {},
    credentialPaths: [],
    signal: new AbortController().signal,
  });
  const quick = { ...services, sleep: () => Promise.resolve() };
  return createRegistry(DEFAULT_REGISTRY_OPTIONS, quick, { stallTimeoutMs: 5000 });
}

async function push(host: string, name: string, image: SampleImage = IMAGE): Promise<string> {
  using registry = openRegistry();
  return await registry.push(image, [parseReference(`${host}/${name}`)]).then(() => "pushed", errorText);
}

async function pull(host: string, name: string): Promise<string> {
  await using folder = await makeTempDir();
  using registry = openRegistry();
  try {
    const found = await registry.find(parseReference(`${host}/${name}`));
    const { digest } = await registry.transfer(found, parseImageName(`oci-layout://${folder.path}/o:1`));
    const layout = await OciLayout.open(`${folder.path}/o`);
    for (const { descriptor } of IMAGE.layers) ok(await layout.has(descriptor));
    return digest;
  } catch (error: unknown) {
    return errorText(error);
  }
}

/** A fault for the first `times` requests that match. */
function first(
  times: number,
  matches: (request: ProxiedRequest) => boolean,
  fault: Fault,
): (request: ProxiedRequest) => Fault | undefined {
  let left = times;
  return (request) => matches(request) && left-- > 0 ? fault : undefined;
}

async function inProxy(
  registry: RegistryProcess,
  fault: (request: ProxiedRequest) => Fault | undefined,
  action: (proxy: FaultProxy) => Promise<void>,
): Promise<void> {
  await using proxy = startFaultProxy(registry.host, { fault });
  await action(proxy);
}

const isLayer = ({ method, path }: ProxiedRequest): boolean =>
  method === "GET" && path.endsWith(IMAGE.layers[0]?.descriptor.digest ?? "");
const isManifest = ({ method, path }: ProxiedRequest): boolean => method === "GET" && path.includes("/manifests/");
const isUploading = ({ method, path }: ProxiedRequest): boolean =>
  (method === "PATCH" || method === "PUT") && path.includes("/uploads/");

Deno.test("pull goes on where the connection was cut, at every place that matters", async () => {
  await using registry = await startRegistry();
  equal(await push(registry.host, "a:1"), "pushed");
  for (const afterBytes of [0, 1, 65_535, 65_536, 300_000, SIZE - 1]) {
    const fault = first(1, isLayer, { kind: "cut-answer", afterBytes });
    await inProxy(registry, fault, async (proxy) => {
      equal(await pull(proxy.host, "a:1"), IMAGE.manifestDescriptor.digest, `cut after ${afterBytes}`);
      ok(proxy.moved.receivedBytes < 2 * SIZE + 20_000);
    });
  }
  await inProxy(registry, first(2, isManifest, { kind: "cut-answer", afterBytes: 7 }), async (proxy) => {
    equal(await pull(proxy.host, "a:1"), IMAGE.manifestDescriptor.digest);
  });
});

Deno.test("push goes on where the connection was cut, at every place that matters", async () => {
  await using registry = await startRegistry();
  const faults: readonly (readonly [name: string, fault: Fault, matches: (request: ProxiedRequest) => boolean])[] = [
    ...[0, 1, 65_536, SIZE - 1, SIZE].map((afterBytes) =>
      [`cut-${afterBytes}`, { kind: "cut-request", afterBytes }, isUploading] as const
    ),
    ["lost-upload", { kind: "lose-answer" }, isUploading],
    ["lost-start", { kind: "lose-answer" }, ({ method }) => method === "POST"],
    ["lost-head", { kind: "lose-answer" }, ({ method }) => method === "HEAD"],
    ["lost-manifest", { kind: "lose-answer" }, ({ method, path }) => method === "PUT" && path.includes("/manifests/")],
    ["server-error", { kind: "answer", status: 503, headers: {}, body: "<html>" }, isUploading],
  ];
  for (const [name, fault, matches] of faults) {
    // Each case has bytes of its own, so that no blob is there before.
    const image = sampleImage([sampleBytes(SIZE, name.length * 31 + name.charCodeAt(4) + (name.charCodeAt(5) || 0))]);
    await inProxy(registry, first(1, matches, fault), async (proxy) => {
      equal(await push(proxy.host, `${name}:1`, image), "pushed", name);
    });
    using direct = openRegistry();
    const found = await direct.find(parseReference(`${registry.host}/${name}:1`));
    equal(found.stored.digest, image.manifestDescriptor.digest, name);
  }
});

Deno.test("lies of a server end in one clear error, or are made good", async () => {
  await using registry = await startRegistry();
  equal(await push(registry.host, "a:1"), "pushed");
  const html = { kind: "answer", status: 200, headers: { "content-type": "text/html" }, body: "<html>hello" } as const;
  const cases: readonly (readonly [fault: Fault, times: number, matches: typeof isLayer, expected: RegExp])[] = [
    [{ kind: "lie", extraBytes: 10 }, 1, isLayer, /^sha256:/],
    [{ kind: "lie", extraBytes: -10 }, 1, isLayer, /^sha256:/],
    [{ kind: "lie", extraBytes: 10 }, 1, isManifest, /^sha256:/],
    [{ kind: "lie", extraBytes: -10 }, 9, isManifest, /Cannot pull .*a:1: its bytes have the digest|Cannot .*not JSON/],
    [{ kind: "endless" }, 1, isLayer, /expected 700000 bytes but it is longer/],
    [{ kind: "endless" }, 9, isManifest, /the answer is larger than 4194304 bytes/],
    [html, 1, isLayer, /^sha256:|Cannot use blob/],
    [html, 9, isManifest, /Cannot copy .*a:1 .*not JSON/],
    [{ ...html, status: 404 }, 9, isManifest, /Cannot read .*a:1: manifest unknown \(404\)/],
    [{ ...html, status: 500 }, 9, isManifest, /internal server error \(500\)/],
    [{ ...html, status: 302, headers: { location: "ftp://x/" } }, 9, isManifest, /\(302\)/],
  ];
  for (const [fault, times, matches, expected] of cases) {
    await inProxy(registry, first(times, matches, fault), async (proxy) => {
      const outcome = await pull(proxy.host, "a:1");
      match(outcome, expected, `${JSON.stringify(fault)}: ${outcome}`);
    });
  }
});

Deno.test("a manifest of thousands of layers is copied, each blob once", async () => {
  await using registry = await startRegistry();
  const image = sampleImage(Array.from({ length: 3000 }, (_, index) => sampleBytes(8 + index % 2)));
  equal(await push(registry.host, "many:1", image), "pushed");
  await inProxy(registry, () => undefined, async (proxy) => {
    using client = openRegistry();
    const found = await client.find(parseReference(`${proxy.host}/many:1`));
    await client.transfer(found, parseReference(`${proxy.host}/copy:1`));
    const posts = proxy.calls.filter(({ method }) => method === "POST");
    equal(posts.length, 3);
    deepEqual(posts.every(({ status }) => status === 201), true, "mounted");
    ok(proxy.connections() <= 8, `${proxy.connections()} connections`);
  });
});

Deno.test("a registry behind a path prefix is pulled from and pushed to", async () => {
  await using registry = await startRegistry();
  await using proxy = startFaultProxy(registry.host, { prefix: "/team/x" });
  equal(await push(proxy.host, "team/x/app:1"), "pushed");
  equal(await pull(proxy.host, "team/x/app:1"), IMAGE.manifestDescriptor.digest);
  equal(await pull(registry.host, "app:1"), IMAGE.manifestDescriptor.digest);
});
