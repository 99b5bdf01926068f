/**
 * The build checks as data: name, description and message of each rule, as BuildKit has them. Who finds violations: the
 * parser what the text alone shows (`checks.ts`), the planner what needs values, images or the context.
 */

/** One rule. */
export interface CheckRule {
  readonly name: string;
  /** What the rule asks for, in one sentence. */
  readonly description: string;
  /** What is said of one violation; `%s` stands for a text, `%q` for a quoted one. */
  readonly message: string;
  /** Page about the rule below the documentation's address. */
  readonly page: string;
  /** Whether it is judged in stages that are built alone, as it takes a stage's place in the build to judge. */
  readonly isOfStage?: boolean;
  /** Whether it has to be asked for, by `# check=experimental=<name>`. */
  readonly isExperimental?: boolean;
}

const DOCUMENTATION = "https://docs.docker.com/go/dockerfile/rule/";

/** All rules. */
export const CHECK_RULES = [
  {
    name: "StageNameCasing",
    description: "Stage names should be lowercase",
    message: "Stage name '%s' should be lowercase",
    page: "stage-name-casing",
  },
  {
    name: "FromAsCasing",
    description: "The 'as' keyword should match the case of the 'from' keyword",
    message: "'%s' and '%s' keywords' casing do not match",
    page: "from-as-casing",
  },
  {
    name: "NoEmptyContinuation",
    description: "Empty continuation lines will become errors in a future release",
    message: "Empty continuation line",
    page: "no-empty-continuation",
  },
  {
    name: "ConsistentInstructionCasing",
    description: "All commands within the Dockerfile should use the same casing (either upper or lower)",
    message: "Command '%s' should match the case of the command majority (%s)",
    page: "consistent-instruction-casing",
  },
  {
    name: "DuplicateStageName",
    description: "Stage names should be unique",
    message: "Duplicate stage name %q, stage names should be unique",
    page: "duplicate-stage-name",
  },
  {
    name: "ReservedStageName",
    description: "Reserved words should not be used as stage names",
    message: "Stage name should not use the same name as reserved stage %q",
    page: "reserved-stage-name",
  },
  {
    name: "JSONArgsRecommended",
    description: "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    message: "JSON arguments recommended for %s to prevent unintended behavior related to OS signals",
    page: "json-args-recommended",
    isOfStage: true,
  },
  {
    name: "MaintainerDeprecated",
    description: "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    message: "Maintainer instruction is deprecated in favor of using label",
    page: "maintainer-deprecated",
  },
  {
    name: "UndefinedArgInFrom",
    description: "FROM command must use declared ARGs",
    message: "FROM argument '%s' is not declared%s",
    page: "undefined-arg-in-from",
  },
  {
    name: "WorkdirRelativePath",
    description: "Relative workdir without an absolute workdir declared within the build can have unexpected results " +
      "if the base image changes",
    message: "Relative workdir %q can have unexpected results if the base image changes",
    page: "workdir-relative-path",
    isOfStage: true,
  },
  {
    name: "UndefinedVar",
    description: "Variables should be defined before their use",
    message: "Usage of undefined variable '$%s'%s",
    page: "undefined-var",
    isOfStage: true,
  },
  {
    name: "MultipleInstructionsDisallowed",
    description: "Multiple instructions of the same type should not be used in the same stage",
    message: "Multiple %s instructions should not be used in the same stage because only the last one will be used",
    page: "multiple-instructions-disallowed",
    isOfStage: true,
  },
  {
    name: "LegacyKeyValueFormat",
    description: "Legacy key/value format with whitespace separator should not be used",
    message: '"%s key=value" should be used instead of legacy "%s key value" format',
    page: "legacy-key-value-format",
  },
  {
    name: "InvalidBaseImagePlatform",
    description: "Base image platform does not match expected target platform",
    message: "Base image %s was pulled with platform %q, expected %q for current build",
    page: "invalid-base-image-platform",
    isOfStage: true,
  },
  {
    name: "RedundantTargetPlatform",
    description: "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    message: "Setting platform to predefined %s in FROM is redundant as this is the default behavior",
    page: "redundant-target-platform",
  },
  {
    name: "SecretsUsedInArgOrEnv",
    description: "Sensitive data should not be used in the ARG or ENV commands",
    message: "Do not use ARG or ENV instructions for sensitive data (%s %q)",
    page: "secrets-used-in-arg-or-env",
    isOfStage: true,
  },
  {
    name: "InvalidDefaultArgInFrom",
    description: "Default value for global ARG results in an empty or invalid base image name",
    message: "Default value for ARG %s results in empty or invalid base image name",
    page: "invalid-default-arg-in-from",
  },
  {
    name: "FromPlatformFlagConstDisallowed",
    description: "FROM --platform flag should not use a constant value",
    message: "FROM --platform flag should not use constant value %q",
    page: "from-platform-flag-const-disallowed",
  },
  {
    name: "CopyIgnoredFile",
    description: "Attempting to Copy file that is excluded by .dockerignore",
    message: "Attempting to %s file %q that is excluded by .dockerignore",
    page: "copy-ignored-file",
    isOfStage: true,
  },
  {
    name: "InvalidDefinitionDescription",
    description: "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. " +
      "If this is not intended to be a description comment, add an empty line or comment between the instruction and " +
      "the comment.",
    message: "Comment for %s should follow the format: `# %s <description>`",
    page: "invalid-definition-description",
    isExperimental: true,
  },
  {
    name: "ExposeProtoCasing",
    description: "Protocol in EXPOSE instruction should be lowercase",
    message: "Defined protocol '%s' in EXPOSE instruction should be lowercase",
    page: "expose-proto-casing",
    isOfStage: true,
  },
  {
    name: "ExposeInvalidFormat",
    description:
      "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error " +
      "in a future release",
    message: "EXPOSE instruction should not define an IP address or host-port mapping, found '%s'",
    page: "expose-invalid-format",
    isOfStage: true,
  },
] as const satisfies readonly CheckRule[];

/** The name of a rule. */
export type CheckName = (typeof CHECK_RULES)[number]["name"];

/** The rule called `name`, in any case; undefined for what is none. */
export function findRule(name: string): CheckRule | undefined {
  const wanted = name.toLowerCase();
  return CHECK_RULES.find((rule) => rule.name.toLowerCase() === wanted);
}

/** What is said of a violation of the rule: its message with `words` in their places, in order. */
export function checkMessage(name: CheckName, ...words: readonly string[]): string {
  const left = [...words];
  const message = findRule(name)?.message ?? name;
  return message.replace(/%[sq]/g, (place) => {
    const word = left.shift() ?? "";
    return place === "%q" ? JSON.stringify(word) : word;
  });
}

/** The address of the page about `rule`. */
export function ruleUrl(rule: CheckRule): string {
  return `${DOCUMENTATION}${rule.page}/`;
}
