/** Builds without the network: bases in files, and a namespace in which nothing but one mirror can be reached. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { busyboxLayout, pushBusybox } from "../support/debian_base.ts";
import { kiln, kilnCommand, tryKiln } from "../support/kiln_command.ts";
import { startRegistry } from "../support/registry_process.ts";
import { type CommandResult, mustRun, runCommand } from "../support/run_command.ts";
import { makeTempDir, type TempDir } from "../support/temp_dir.ts";

const MIRROR_ADDRESS = "10.231.7.1";

async function contextWith(folder: TempDir, dockerfile: string): Promise<readonly string[]> {
  await Deno.mkdir(`${folder.path}/context`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/context/Dockerfile`, dockerfile);
  return [
    "--isolation=chroot",
    `--context=${folder.path}/context`,
    "--no-push",
    `--oci-layout-path=${folder.path}/out`,
  ];
}

/** Runs kiln in a network namespace of its own, with loopback alone. */
async function kilnAlone(args: readonly string[]): Promise<CommandResult> {
  const command = [...await kilnCommand(), ...args];
  return await runCommand(["unshare", "--net", "--", ...command], { timeoutMs: 120_000 });
}

Deno.test("FROM and COPY --from take images in files, and no network is used", async () => {
  await using folder = await makeTempDir();
  const layout = await busyboxLayout();
  const archive = `${folder.path}/box.tar`;
  await mustRun(["skopeo", "--insecure-policy", "copy", `oci:${layout}:latest`, `docker-archive:${archive}:box:1`]);
  const args = await contextWith(
    folder,
    `ARG ARCHIVE
FROM docker-archive://${archive}:box:1 AS tools
FROM oci-layout://${layout}:latest
COPY --from=tools /bin/busybox /from-stage
COPY --from=oci-layout://${layout} /bin/busybox /from-image
RUN cmp /from-stage /from-image && echo same > /result
`,
  );
  const ended = await kilnAlone(args);
  equal(ended.code, 0, ended.stderr);
  const { layers } = JSON.parse(await mustRun(["skopeo", "inspect", "--raw", `oci:${folder.path}/out:latest`]));
  const base = JSON.parse(await mustRun(["skopeo", "inspect", "--raw", `oci:${layout}:latest`]));
  deepEqual(layers[0], base.layers[0], "the base's layer is taken over as it is");
  await mustRun(["umoci", "unpack", "--image", `${folder.path}/out:latest`, `${folder.path}/bundle`]);
  equal(await Deno.readTextFile(`${folder.path}/bundle/rootfs/result`), "same\n");
});

Deno.test("a base in a file that is not there is an error with the Dockerfile's line", async () => {
  await using folder = await makeTempDir();
  const args = await contextWith(folder, "FROM oci-layout:///nonexistent/base:1\n");
  const { code, stderr } = await tryKiln(args);
  notEqual(code, 0);
  match(stderr, /"\/nonexistent\/base" as an OCI image layout: there is no index\.json/);
});

Deno.test("a build whose hosts are all mirrored makes no other connection", async () => {
  await using folder = await makeTempDir();
  await using registry = await startRegistry();
  const names = ["docker.io/library/busybox:1", "gcr.io/team/box:1", "quay.example/x/box:1"];
  await pushBusybox(registry, names);
  const port = registry.host.split(":")[1] ?? "";
  await using network = await onlyRouteTo(`${MIRROR_ADDRESS}/24`);
  await using _forward = forwardTo(port);
  const mirror = `${MIRROR_ADDRESS}:${port}`;
  const args = await contextWith(
    folder,
    `FROM busybox:1
COPY --from=gcr.io/team/box:1 /bin/busybox /a
COPY --from=quay.example/x/box:1 /bin/busybox /b
RUN cmp /a /b
`,
  );
  const flags = [`--registry-map=*=${mirror}/*`, `--insecure-registry=${mirror}`, "--skip-default-registry-fallback"];
  const command = [...await kilnCommand(), ...args, ...flags];
  const inside = ["ip", "netns", "exec", network.name];
  const ended = await runCommand([
    ...inside,
    "strace",
    "-f",
    "-qq",
    "-e",
    "trace=connect,sendto,sendmmsg",
    "-o",
    `${folder.path}/trace`,
    ...command,
  ], {
    timeoutMs: 180_000,
  });
  equal(ended.code, 0, ended.stderr);
  const calls = await Deno.readTextFile(`${folder.path}/trace`);
  const addresses = [...calls.matchAll(/connect\(\d+, \{sa_family=AF_INET6?, [^}]*\}/g)].map(([text]) => text);
  notEqual(addresses.length, 0);
  deepEqual(addresses.filter((text) => !text.includes(`htons(${port})`) || !text.includes(MIRROR_ADDRESS)), []);

  const conf = `${folder.path}/registries.conf`;
  const mirrors = ["docker.io", "gcr.io", "quay.example"].map((host) =>
    `[[registry]]\nprefix = "${host}"\n[[registry.mirror]]\nlocation = "${mirror}/${host}"\ninsecure = true\n`
  );
  await Deno.writeTextFile(conf, mirrors.join(""));
  await Deno.remove(`${folder.path}/out`, { recursive: true });
  const byConf = await runCommand([...inside, ...await kilnCommand(), ...args, `--registries-conf=${conf}`], {
    timeoutMs: 180_000,
  });
  equal(byConf.code, 0, byConf.stderr);
  const refused = await runCommand([...inside, ...await kilnCommand(), ...args], { timeoutMs: 180_000 });
  equal(refused.code, 5, refused.stderr);
});

Deno.test("a pull-through cache gives a base, and gives it again when its origin is gone", async () => {
  await using folder = await makeTempDir();
  const origin = await startRegistry();
  await pushBusybox(origin, ["library/busybox:1"]);
  await using cache = await startRegistry({ proxyOf: origin.url });
  const copy = ["copy", `--registry-mirror=${cache.host}`, "--skip-default-registry-fallback", "busybox:1"];
  const digest = await kiln([...copy, `oci-layout://${folder.path}/first:1`]);
  await origin[Symbol.asyncDispose]();
  equal(await kiln([...copy, `oci-layout://${folder.path}/second:1`]), digest);
});

/** A network namespace whose only route is to `address`, our end of its cable. */
async function onlyRouteTo(address: string): Promise<AsyncDisposable & { readonly name: string }> {
  const name = `kiln${Deno.pid}`;
  const [ours, theirs] = [`kl${Deno.pid % 100_000}a`, `kl${Deno.pid % 100_000}b`];
  const ip = (...args: string[]): Promise<string> => mustRun(["ip", ...args]);
  await ip("netns", "add", name);
  const remove = async (): Promise<void> => {
    await runCommand(["ip", "link", "delete", ours]);
    await runCommand(["ip", "netns", "delete", name]);
  };
  try {
    await ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name);
    await ip("address", "add", address, "dev", ours);
    await ip("link", "set", ours, "up");
    await ip("-n", name, "address", "add", address.replace(".1/", ".2/"), "dev", theirs);
    await ip("-n", name, "link", "set", theirs, "up");
    await ip("-n", name, "link", "set", "lo", "up");
  } catch (error: unknown) {
    await remove();
    throw error;
  }
  return { name, [Symbol.asyncDispose]: remove };
}

/** Hands connections to the mirror's address on to the registry on loopback. */
function forwardTo(port: string): AsyncDisposable {
  const listener = Deno.listen({ hostname: MIRROR_ADDRESS, port: Number(port) });
  const running = (async (): Promise<void> => {
    const pairs: Promise<unknown>[] = [];
    try {
      for await (const client of listener) {
        const server = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
        pairs.push(
          Promise.allSettled([client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)]),
        );
      }
    } catch (error: unknown) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // The listener was closed.
    }
    await Promise.all(pairs);
  })();
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await running;
    },
  };
}
