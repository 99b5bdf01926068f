/** The flags of a build: all of kaniko's executor, deprecated names too, and kiln's own. */
import { CACHE_FLAGS } from "./cache_flags.ts";
import type { Flag } from "./flag.ts";
import { LOG_FLAGS } from "./log_flags.ts";
import { PUSH_FLAGS, REGISTRY_FLAGS } from "./registry_flag_table.ts";

const ALWAYS_SO = "kiln always does this";

/** What is built, and from what. */
const SOURCE_FLAGS: readonly Flag[] = [
  {
    name: "dockerfile",
    short: "f",
    kind: "text",
    initial: "Dockerfile",
    summary: "Dockerfile, in the context or elsewhere",
  },
  { name: "context", short: "c", kind: "text", initial: "/workspace/", summary: "Folder with the files to build from" },
  { name: "context-sub-path", kind: "text", summary: "Folder within the context that is the context" },
  {
    name: "bucket",
    short: "b",
    kind: "text",
    support: "later",
    summary: "Bucket of the context in Google Cloud Storage",
  },
  { name: "target", kind: "list", summary: "Stage to build, by name or index; the last by default" },
  {
    name: "build-arg",
    kind: "list",
    value: "NAME=VALUE",
    summary: "Value of an ARG; without =VALUE that of the variable NAME",
  },
  {
    name: "custom-platform",
    aliases: ["customPlatform"],
    kind: "text",
    value: "OS/ARCH",
    summary: "Platform to build for",
  },
  { name: "label", kind: "list", value: "NAME=VALUE", summary: "Label of the image" },
  { name: "annotation", kind: "list", value: "NAME=VALUE", summary: "Annotation of the image's manifest" },
  {
    name: "build-context",
    kind: "list",
    value: "NAME=SOURCE",
    summary: "What stands in for an image or stage: a folder, docker-image://, oci-layout://, an archive's URL, git",
  },
  {
    name: "secret",
    kind: "list",
    value: "id=NAME,src=FILE",
    summary: "Secret for RUN --mount=type=secret; env=VARIABLE instead of src=FILE takes it from a variable",
  },
  {
    name: "ssh",
    kind: "list",
    value: "default[=SOCKET]",
    summary: "Agent for RUN --mount=type=ssh; that of SSH_AUTH_SOCK by default",
  },
  { name: "git", kind: "list", support: "later", summary: "Options of git contexts" },
];

/** Where the image goes. */
const OUTPUT_FLAGS: readonly Flag[] = [
  { name: "destination", short: "d", kind: "list", value: "IMAGE", summary: "Reference to push to" },
  { name: "no-push", kind: "boolean", initial: false, summary: "Build, but push nothing" },
  {
    name: "tar-path",
    aliases: ["tarPath"],
    kind: "text",
    value: "FILE",
    summary: "Write the image as a docker-archive",
  },
  { name: "oci-layout-path", kind: "text", value: "FOLDER", summary: "Write the image as an OCI image layout" },
  { name: "digest-file", kind: "text", value: "FILE", summary: "Write the image's digest" },
  {
    name: "image-name-with-digest-file",
    kind: "text",
    value: "FILE",
    summary: "Write repository@digest of each destination",
  },
  {
    name: "image-name-tag-with-digest-file",
    kind: "text",
    value: "FILE",
    summary: "Write repository:tag@digest of each",
  },
  {
    name: "image-format",
    kind: "text",
    choices: ["oci", "docker"],
    summary: "Media types; as the base has them by default",
  },
  ...PUSH_FLAGS,
];

/** How the rootfs is worked on and layers are made. */
const BUILD_FLAGS: readonly Flag[] = [
  {
    name: "isolation",
    kind: "text",
    initial: "auto",
    choices: ["auto", "inplace", "chroot"],
    summary: "Build at / of this container, or in a folder",
  },
  { name: "force", kind: "boolean", initial: false, summary: "Build in place although this is not a container" },
  { name: "kaniko-dir", kind: "text", value: "FOLDER", summary: "Folder for kiln's own files" },
  { name: "ignore-path", kind: "list", value: "PATH", summary: "Path in the rootfs that is left alone" },
  {
    name: "ignore-var-run",
    aliases: ["whitelist-var-run"],
    kind: "boolean",
    initial: true,
    support: "always",
    summary: "Leave mounts below /var/run alone (mounts always are)",
  },
  { name: "pre-cleanup", kind: "boolean", initial: false, summary: "Wipe the rootfs before the build" },
  { name: "cleanup", kind: "boolean", initial: false, support: "later", summary: "Wipe the rootfs after the build" },
  {
    name: "preserve-context",
    kind: "boolean",
    initial: false,
    support: "later",
    summary: "Restore the first state of the rootfs at the end",
  },
  {
    name: "materialize",
    kind: "boolean",
    initial: false,
    support: "later",
    summary: "Leave the target's files at / in any case",
  },
  {
    name: "snapshot-mode",
    aliases: ["snapshotMode"],
    kind: "text",
    initial: "full",
    choices: ["full", "redo", "time"],
    support: "always",
    summary: "All modes find every change",
  },
  {
    name: "use-new-run",
    kind: "boolean",
    initial: false,
    support: "always",
    summary: `Compare states instead of contents (${ALWAYS_SO})`,
  },
  { name: "single-snapshot", kind: "boolean", initial: false, summary: "One layer for all that the stage changes" },
  { name: "squash", kind: "boolean", initial: false, summary: "The same; the base image's layers stay as they are" },
  {
    name: "reproducible",
    kind: "boolean",
    initial: false,
    summary: "No time later than SOURCE_DATE_EPOCH, or than 1970, in new layers, history and config",
  },
  {
    name: "compression",
    kind: "text",
    initial: "gzip",
    choices: ["gzip", "zstd", "none"],
    summary: "Compression of new layers",
  },
  { name: "compression-level", kind: "number", initial: -1, summary: "Level of the compression; -1 is its default" },
  {
    name: "compressed-caching",
    kind: "boolean",
    initial: true,
    support: "always",
    summary: "Layers are compressed once, in constant memory",
  },
  {
    name: "skip-unused-stages",
    kind: "boolean",
    initial: false,
    support: "always",
    deprecated: ALWAYS_SO,
    summary: "Do not build stages that nobody needs",
  },
  {
    name: "force-build-metadata",
    kind: "boolean",
    initial: false,
    support: "always",
    deprecated: ALWAYS_SO,
    summary: "Keep build metadata",
  },
  {
    name: "image-fs-extract-retry",
    kind: "number",
    initial: 0,
    support: "later",
    summary: "How often a failed unpacking is tried again",
  },
  {
    name: "max-layer-size",
    kind: "text",
    initial: "128GiB",
    value: "SIZE",
    summary: "Most that a layer of a base image may unpack to",
  },
  {
    name: "check",
    kind: "text",
    initial: "false",
    bare: "true",
    choices: ["true", "false", "text", "json"],
    summary: "Apply the build checks and build nothing; the report is JSON with --log-format=json too",
  },
  { name: "dryrun", kind: "boolean", initial: false, summary: "Print the plan and build nothing" },
];

/** All of them, in the order of the help. */
export const EXECUTOR_FLAGS: readonly Flag[] = [
  ...SOURCE_FLAGS,
  ...OUTPUT_FLAGS,
  ...BUILD_FLAGS,
  ...CACHE_FLAGS,
  ...REGISTRY_FLAGS,
  ...LOG_FLAGS,
];
