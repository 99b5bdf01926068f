/** The flags about registries that all commands share; kaniko's names and defaults. */
import type { Flag } from "./flag.ts";

/** How registries are reached. */
export const REGISTRY_FLAGS: readonly Flag[] = [
  { name: "insecure", kind: "boolean", initial: false, summary: "Push over plain http" },
  { name: "insecure-pull", kind: "boolean", initial: false, summary: "Pull over plain http" },
  { name: "insecure-registry", kind: "list", value: "HOST", summary: "Reach this registry over plain http" },
  { name: "skip-tls-verify", kind: "boolean", initial: false, summary: "Do not verify certificates when pushing" },
  { name: "skip-tls-verify-pull", kind: "boolean", initial: false, summary: "Do not verify certificates when pulling" },
  {
    name: "skip-tls-verify-registry",
    kind: "list",
    value: "HOST",
    summary: "Do not verify this registry's certificate",
  },
  { name: "registry-certificate", kind: "list", value: "HOST=FILE", summary: "Certificate authority of a registry" },
  { name: "registry-client-cert", kind: "list", value: "HOST=CERT,KEY", summary: "Client certificate for a registry" },
  { name: "registry-map", kind: "list", value: "HOST=MIRROR", summary: "Mirrors of a registry, tried in order" },
  { name: "registry-mirror", kind: "list", value: "MIRROR", summary: "Mirror of Docker Hub" },
  { name: "skip-default-registry-fallback", kind: "boolean", initial: false, summary: "Use mirrors only" },
  { name: "image-download-retry", kind: "number", initial: 0, summary: "How often a failed pull is tried again" },
  { name: "registries-conf", kind: "text", value: "FILE", summary: "Mirrors as in containers-registries.conf" },
  {
    name: "registry-concurrency",
    kind: "number",
    initial: 4,
    summary: "How many blobs are moved at the same time",
  },
  {
    name: "credential-helpers",
    kind: "list",
    value: "NAME",
    summary: "Built-in credential sources to ask: env, google, ecr, acr, gitlab; all by default, empty for none",
  },
];

/** How pushes go. */
export const PUSH_FLAGS: readonly Flag[] = [
  { name: "push-retry", kind: "number", initial: 0, summary: "How often a failed push is tried again" },
  {
    name: "push-ignore-immutable-tag-errors",
    kind: "boolean",
    initial: false,
    summary: "A tag that cannot move is no failure",
  },
  {
    name: "skip-push-permission-check",
    kind: "boolean",
    initial: false,
    summary: "Do not ask before the build whether the push is allowed",
  },
];
