import { deepEqual, equal, rejects } from "node:assert/strict";
import { cloudCall, formBody } from "../../../src/registry/cloud_call.ts";
import { RegistryError } from "../../../src/registry/registry_error.ts";
import { type CloudRoute, fakeClouds } from "../../support/fake_clouds.ts";

const CALL = { operation: "get a token", method: "GET", url: "https://t.example/x" } as const;

Deno.test("cloudCall gives the body of a 200, and follows no redirect", async () => {
  const routes: CloudRoute[] = [
    ["GET https://t.example/x", () => new Response("token")],
    [
      "POST https://t.example/moved",
      () => new Response(null, { status: 307, headers: { location: "https://evil.example/" } }),
    ],
  ];
  using clouds = fakeClouds(routes);
  equal(await cloudCall(CALL, clouds.services), "token");
  const moved = { ...CALL, method: "POST", url: "https://t.example/moved", ...formBody({ secret: "s" }) } as const;
  await rejects(cloudCall(moved, clouds.services), /Cannot get a token: .*\(307\)/);
  equal(clouds.calls.some((call) => call.includes("evil")), false);
});

Deno.test("cloudCall sends nothing over plain http but to the machine itself, and not past a proxy", async () => {
  const plain = { ...CALL, url: "http://t.example/x?key=secret" };
  const metadata = { ...CALL, url: "http://169.254.169.254/x", isMetadata: true };
  using clouds = fakeClouds([["GET http://", () => new Response("local")]]);
  await rejects(cloudCall(plain, clouds.services), (error: Error) => {
    equal(error.message, "Cannot get a token: http://t.example/x?key=*** is not https");
    return true;
  });
  equal(await cloudCall(metadata, clouds.services), "local");
  equal(await cloudCall({ ...CALL, url: "http://127.0.0.1:99/x" }, clouds.services), "local");
  await rejects(cloudCall({ ...CALL, url: "nowhere" }, clouds.services), /is not a URL/);
  for (const noProxy of ["", "other", "169.254.169.2"]) {
    const services = { ...clouds.services, env: { HTTP_PROXY: "http://p", NO_PROXY: noProxy } };
    await rejects(cloudCall(metadata, services), /HTTP_PROXY would see the answer of 169\.254\.169\.254/, noProxy);
  }
  for (const noProxy of ["*", "a, 169.254.169.254", "169.254.0.0/16"]) {
    const services = { ...clouds.services, env: { http_proxy: "http://p", NO_PROXY: noProxy } };
    equal(await cloudCall(metadata, services), "local", noProxy);
  }
});

Deno.test("cloudCall asks a metadata service once, others again, and bounds answers", async () => {
  const routes: CloudRoute[] = [
    ["GET https://t.example/x", () => new Response(null, { status: 503 })],
    ["GET http://169", () => new Response(null, { status: 503 })],
    ["GET https://large", () => new Response("x".repeat(2_000_000))],
  ];
  using clouds = fakeClouds(routes);
  await rejects(cloudCall(CALL, clouds.services), RegistryError);
  equal(clouds.calls.length, 4);
  await rejects(
    cloudCall({ ...CALL, url: "http://169.254.169.254/", isMetadata: true }, clouds.services),
    RegistryError,
  );
  equal(clouds.calls.length, 5);
  await rejects(cloudCall({ ...CALL, url: "https://large/" }, clouds.services), /larger than 1048576 bytes/);
});

Deno.test("formBody encodes a form", () => {
  deepEqual(formBody({ a: "b c", d: "é" }).body, "a=b+c&d=%C3%A9");
});
