/** A server that wants a certificate of its clients: `openssl s_server`, which is none of ours. */
import { equal, rejects } from "node:assert/strict";
import { Connections } from "../../src/registry/connections.ts";
import { DEFAULT_REGISTRY_OPTIONS, type RegistryOptions } from "../../src/registry/registry_options.ts";
import { freePort } from "../support/registry_process.ts";
import { ensurePackages } from "../support/set_up.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { TEST_AUTHORITY_PEM, TEST_CERTIFICATE_PEM, TEST_KEY_PEM } from "../support/tls_certificate.ts";

const FILES: Readonly<Record<string, string>> = {
  "ca.pem": TEST_AUTHORITY_PEM,
  "cert.pem": TEST_CERTIFICATE_PEM,
  "key.pem": TEST_KEY_PEM,
};

Deno.test("Connections shows the client certificate that a host is to get, with and without verification", async () => {
  await ensurePackages(["openssl"]);
  await using folder = await makeTempDir();
  for (const [name, text] of Object.entries(FILES)) await Deno.writeTextFile(`${folder.path}/${name}`, text);
  const port = freePort();
  const args = [
    "s_server",
    "-accept",
    `127.0.0.1:${port}`,
    "-cert",
    "cert.pem",
    "-key",
    "key.pem",
    "-CAfile",
    "ca.pem",
  ];
  const verify = ["-Verify", "2", "-verify_return_error", "-www", "-quiet"];
  const server = new Deno.Command("openssl", {
    args: [...args, ...verify],
    cwd: folder.path,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const host = `127.0.0.1:${port}`;
    const file = (name: string): string => `${folder.path}/${name}`;
    const withClient = new Map([[host, { certificatePath: file("cert.pem"), keyPath: file("key.pem") }]]);
    const authority = { registryCertificates: new Map([[host, file("ca.pem")]]) };
    await untilUp(host, { ...authority, registryClientCerts: withClient });
    equal(await call(host, { ...authority, registryClientCerts: withClient }), 200);
    await rejects(call(host, authority));
    const lax = { skipTlsVerifyRegistries: new Set([host]) };
    equal(await call(host, { ...lax, registryClientCerts: withClient }), 200);
    await rejects(call(host, lax));
  } finally {
    server.kill();
    await server.status;
  }
});

async function call(host: string, options: Partial<RegistryOptions>): Promise<number> {
  using pool = new Connections({ ...DEFAULT_REGISTRY_OPTIONS, ...options }, {
    fetch: (url, init) => fetch(url, init),
    readTextFile: (path) => Deno.readTextFile(path),
  });
  const response = await (await pool.fetchFor(host, "pull"))(`https://${host}/`, {});
  await response.text();
  return response.status;
}

async function untilUp(host: string, options: Partial<RegistryOptions>): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      await call(host, options);
      return;
    } catch (error: unknown) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
