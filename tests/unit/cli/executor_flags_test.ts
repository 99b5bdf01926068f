import { deepEqual, equal } from "node:assert/strict";
import { EXECUTOR_FLAGS } from "../../../src/cli/executor_flags.ts";

/** Every flag of kaniko's executor, deprecated spellings too. */
const KANIKO_FLAGS =
  `dockerfile context context-sub-path bucket destination target build-arg custom-platform label annotation
secret snapshot-mode single-snapshot use-new-run reproducible ignore-path ignore-var-run cache cache-repo cache-dir cache-ttl
cache-copy-layers cache-run-layers no-push-cache compressed-caching compression compression-level image-format no-push
tar-path oci-layout-path digest-file image-name-with-digest-file image-name-tag-with-digest-file push-retry
push-ignore-immutable-tag-errors image-download-retry image-fs-extract-retry skip-push-permission-check insecure
insecure-pull skip-tls-verify skip-tls-verify-pull insecure-registry skip-tls-verify-registry registry-certificate
registry-client-cert registry-map registry-mirror skip-default-registry-fallback credential-helpers git kaniko-dir
pre-cleanup cleanup preserve-context materialize dryrun force verbosity log-format log-timestamp snapshotMode customPlatform
tarPath force-build-metadata skip-unused-stages whitelist-var-run`.split(/\s+/);

const NAMES = EXECUTOR_FLAGS.flatMap((flag) => [flag.name, ...(flag.aliases ?? [])]);

Deno.test("EXECUTOR_FLAGS knows every flag of kaniko's executor", () => {
  deepEqual(KANIKO_FLAGS.filter((name) => !NAMES.includes(name)), []);
});

Deno.test("EXECUTOR_FLAGS has each name and each short name once", () => {
  equal(new Set(NAMES).size, NAMES.length);
  const shorts = EXECUTOR_FLAGS.flatMap((flag) => flag.short ?? []);
  equal(new Set(shorts).size, shorts.length);
  deepEqual(shorts.sort(), ["b", "c", "d", "f", "v"]);
});
