import { deepEqual, equal, rejects } from "node:assert/strict";
import {
  type CloudLogins,
  credentialPaths,
  Credentials,
  type CredentialServices,
} from "../../../src/registry/credentials.ts";
import { CREDENTIAL_HELPERS } from "../../../src/registry/registry_options.ts";
import { recordingLogger } from "../../support/registry_world.ts";

interface Case {
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
  readonly program?: CredentialServices["runProgram"];
  readonly log?: string[];
}

function credentials({ env = {}, files = {}, program, log = [] }: Case): Credentials {
  return new Credentials({
    env,
    credentialPaths: ["/missing.json", ...Object.keys(files)],
    readTextFile: (path) => Promise.resolve(files[path]),
    runProgram: program ?? (() => Promise.reject(new Deno.errors.NotFound("no program"))),
    log: recordingLogger(log),
    signal: new AbortController().signal,
  });
}

async function names(found: Credentials, registry: string, repository = "a/b"): Promise<string[]> {
  const all = await found.find({ registry, repository });
  return all.map((credential) => credential.kind === "basic" ? credential.username : credential.kind);
}

function login(registry: string, username: string): string {
  return JSON.stringify({ auths: { [registry]: { username, password: "p" } } });
}

Deno.test("Credentials.find orders variables and files by strength", async () => {
  const found = credentials({
    env: {
      DOCKER_AUTH_CONFIG: login("r.io", "inline"),
      KANIKO_R_IO_USER: "variable",
      KANIKO_R_IO_PASSWORD: "p",
      CI_REGISTRY: "r.io",
      CI_REGISTRY_USER: "gitlab",
      CI_REGISTRY_PASSWORD: "p",
    },
    files: { "/1.json": login("r.io", "first"), "/2.json": login("r.io", "second"), "/empty.json": " " },
  });
  deepEqual(await names(found, "r.io"), ["inline", "first", "second", "variable", "gitlab"]);
  deepEqual(await names(found, "other.io"), []);
});

Deno.test("Credentials.find tries parent domains of a host's variables but never a bare top domain", async () => {
  const env = {
    KANIKO_EXAMPLE_COM_USER: "parent",
    KANIKO_EXAMPLE_COM_PASSWORD: "p",
    KANIKO_IO_USER: "io",
    KANIKO_IO_PASSWORD: "p",
  };
  deepEqual(await names(credentials({ env }), "a-b.example.com"), ["parent"]);
  deepEqual(await names(credentials({ env }), "example.io"), []);
  deepEqual(await names(credentials({ env }), "example.com.evil.net"), []);
  const exact = { KANIKO_REG_X_IO_5000_USER: "exact", KANIKO_REG_X_IO_5000_PASSWORD: "p" };
  deepEqual(await names(credentials({ env: exact }), "reg-x.io:5000"), ["exact"]);
});

Deno.test("Credentials.find asks a helper once, with Docker Hub's old name, before the file's own entries", async () => {
  const asked: string[] = [];
  const program: CredentialServices["runProgram"] = (name, server) => {
    asked.push(`${name} ${server}`);
    const stdout = new TextEncoder().encode('{"Username":"helped","Secret":"s"}');
    return Promise.resolve({ success: true, stdout, stderr: new Uint8Array() });
  };
  const text = JSON.stringify({
    credsStore: "store",
    credHelpers: { "r.io": "own" },
    ...JSON.parse(login("r.io", "file")),
  });
  const found = credentials({ files: { "/c.json": text }, program });
  deepEqual(await names(found, "r.io"), ["helped", "file"]);
  deepEqual(await names(found, "r.io", "other"), ["helped", "file"]);
  deepEqual(await names(found, "index.docker.io"), ["helped"]);
  deepEqual(asked, ["docker-credential-own r.io", "docker-credential-store https://index.docker.io/v1/"]);
});

Deno.test("Credentials.find warns and goes on when a helper fails", async () => {
  const log: string[] = [];
  const text = JSON.stringify({ credsStore: "gone", ...JSON.parse(login("r.io", "file")) });
  deepEqual(await names(credentials({ files: { "/c.json": text }, log }), "r.io"), ["file"]);
  deepEqual(log, ['warn Cannot run credential helper "docker-credential-gone" for r.io']);
});

Deno.test("Credentials.find throws FormatError naming the file when it is broken", async () => {
  await rejects(names(credentials({ files: { "/bad.json": "{" } }), "r.io"), /credentials in \/bad\.json/);
});

Deno.test("credentialPaths lists docker's, kaniko's and podman's places", () => {
  deepEqual(credentialPaths({ HOME: "/root", DOCKER_CONFIG: "/d", XDG_RUNTIME_DIR: "/run/u" }), [
    "/d/config.json",
    "/root/.docker/config.json",
    "/kaniko/.docker/config.json",
    "/run/u/containers/auth.json",
    "/root/.config/containers/auth.json",
  ]);
  equal(credentialPaths({ HOME: "/x", KANIKO_DIR: "/x" }).length, 2);
});

Deno.test("Credentials asks the clouds between variables and GitLab, leaves out what is turned off, and tells what it tried", async () => {
  const env = {
    KANIKO_R_IO_USER: "variable",
    KANIKO_R_IO_PASSWORD: "secret",
    CI_REGISTRY: "r.io",
    CI_REGISTRY_USER: "gitlab",
    CI_REGISTRY_PASSWORD: "secret",
  };
  const services: CredentialServices = {
    env,
    credentialPaths: ["/1.json"],
    readTextFile: () => Promise.resolve(login("r.io/a", "first")),
    runProgram: () => Promise.reject(new TypeError("no program")),
    log: recordingLogger([]),
    signal: new AbortController().signal,
  };
  const clouds: CloudLogins = {
    find: (registry, helpers, notes) => {
      notes.push("Azure was asleep");
      const credential = { kind: "basic", username: "cloud", password: "secret" } as const;
      return Promise.resolve(registry === "r.io" && helpers.has("ecr") ? { credential, origin: "ECR" } : undefined);
    },
  };
  const all = new Credentials(services, { helpers: new Set(CREDENTIAL_HELPERS), clouds });
  deepEqual(all.tried("r.io"), []);
  deepEqual(await names(all, "r.io"), ["first", "variable", "cloud", "gitlab"]);
  const origins = ["/1.json for r.io/a", "KANIKO_R_IO_USER", "ECR", "CI_REGISTRY_USER", "Azure was asleep"];
  deepEqual(all.tried("r.io"), origins);
  const none = new Credentials(services, { helpers: new Set(), clouds });
  deepEqual(await names(none, "r.io"), ["first"]);
});
