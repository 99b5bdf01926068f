import { deepEqual, equal, throws } from "node:assert/strict";
import type { BuildRequest } from "../../../src/build/build_request.ts";
import { buildRequest } from "../../../src/cli/build_request.ts";
import { EXECUTOR_FLAGS } from "../../../src/cli/executor_flags.ts";
import { UsageError } from "../../../src/cli/flag.ts";
import { parseFlags } from "../../../src/cli/parse_flags.ts";
import { formatReference } from "../../../src/oci/reference.ts";

function request(args: readonly string[], env: Readonly<Record<string, string>> = {}): BuildRequest {
  const parsed = parseFlags(args, EXECUTOR_FLAGS, { name: "executor", summary: "" });
  if (parsed.kind !== "values") throw new TypeError("help was not asked for");
  return buildRequest(parsed.values, env);
}

Deno.test("buildRequest has kaniko's defaults when only --no-push is given", () => {
  const { context, outputs, root, layers, plan } = request(["--no-push"]);
  deepEqual(context, { source: "/workspace/", subPath: "" });
  equal(outputs.push, false);
  equal(outputs.digestFile, undefined);
  deepEqual(root, { isolation: "auto", force: false, ignorePaths: [], preCleanup: false });
  deepEqual(layers, { compression: "gzip", maxUnpackedBytes: 128 * 2 ** 30 });
  equal(plan.target, undefined);
});

Deno.test("buildRequest carries destinations, arguments and files when they are given", () => {
  const built = request([
    "-d=host:5/a/b:1",
    "--destination=debian",
    "--build-arg=A=1=2",
    "--build-arg=FROM_ENV",
    "--label=x=y",
    "--target=Final",
    "--digest-file=/d",
    "--compression-level=6",
  ], { FROM_ENV: "e" });
  deepEqual(built.outputs.destinations.map(formatReference), ["host:5/a/b:1", "index.docker.io/library/debian:latest"]);
  deepEqual([...built.plan.buildArgs], [["A", "1=2"], ["FROM_ENV", "e"]]);
  equal(built.plan.target, "Final");
  equal(built.outputs.digestFile, "/d");
  equal(built.layers.level, 6);
});

Deno.test("buildRequest lets KANIKO_NO_PUSH decide when it is set", () => {
  equal(request(["-d=a/b"], { KANIKO_NO_PUSH: "true" }).outputs.push, false);
  equal(request(["-d=a/b", "--no-push"], { KANIKO_NO_PUSH: "false" }).outputs.push, true);
  throws(() => request(["-d=a/b"], { KANIKO_NO_PUSH: "perhaps" }), /KANIKO_NO_PUSH: expected true or false/);
});

Deno.test("buildRequest refuses combinations that make no sense", () => {
  const cases: readonly [args: string[], message: RegExp][] = [
    [[], /there is no --destination/],
    [["--no-push", "--image-name-with-digest-file=x"], /without a --destination/],
    [["--no-push", "--tar-path=x", "--image-format=oci"], /docker-archive/],
    [["--no-push", "--image-format=docker", "--compression=zstd"], /no media type/],
    [["--no-push", "--image-format=docker", "--oci-layout-path=x"], /OCI layout holds OCI/],
    [["--no-push", "--compression-level=12"], /1 to 9/],
    [["--destination=A B"], /"A B" for --destination/],
    [["--no-push", "--custom-platform=a/b/c/d"], /--custom-platform/],
    [["--no-push", "--target=a,b"], /several targets/],
  ];
  for (const [args, message] of cases) {
    throws(
      () => request(args),
      (error: unknown) => error instanceof UsageError && message.test(error.message),
      args.join(" "),
    );
  }
});

Deno.test("buildRequest takes SOURCE_DATE_EPOCH from the environment unless a build-arg gives it", () => {
  const env = { SOURCE_DATE_EPOCH: "5" };
  deepEqual([...request(["--no-push"], env).plan.buildArgs], [["SOURCE_DATE_EPOCH", "5"]]);
  const given = request(["--no-push", "--build-arg=SOURCE_DATE_EPOCH=7"], env);
  deepEqual([...given.plan.buildArgs], [["SOURCE_DATE_EPOCH", "7"]]);
  deepEqual([...request(["--no-push"], { SOURCE_DATE_EPOCH: "" }).plan.buildArgs], []);
});

Deno.test("buildRequest says how layers are made", () => {
  for (
    const [args, layers] of [
      [["--single-snapshot"], { compression: "gzip", isSingle: true }],
      [["--squash", "--reproducible"], { compression: "gzip", isSingle: true, isReproducible: true }],
      [["--compression=none"], { compression: "none" }],
      [["--compression=zstd", "--compression-level=22"], { compression: "zstd", level: 22 }],
    ] as const
  ) {
    const { maxUnpackedBytes: _bound, ...made } = request(["--no-push", ...args]).layers;
    deepEqual(made, layers);
  }
  for (const args of [["--compression=none", "--compression-level=1"], ["--compression-level=10"]]) {
    throws(() => request(["--no-push", ...args]), UsageError, args.join(" "));
  }
});

Deno.test("buildRequest needs no destination for a check", () => {
  deepEqual([request(["--check"]).isCheck, request(["--check=json"]).isCheck], [true, true]);
  equal(request(["--no-push"]).isCheck, false);
  throws(() => request(["--check=false"]), /no --destination/);
});

Deno.test("buildRequest refuses options for the checks that mean nothing", () => {
  const args = (check: string): readonly string[] => ["--check", `--build-arg=BUILDKIT_DOCKERFILE_CHECK=${check}`];
  equal(request(args("skip=all;error=true")).plan.buildArgs.get("BUILDKIT_DOCKERFILE_CHECK"), "skip=all;error=true");
  throws(() => request(args("skp=all")), (error: unknown) => {
    return error instanceof UsageError && /BUILDKIT_DOCKERFILE_CHECK=skp=all.*invalid check option/.test(error.message);
  });
});
