/**
 * kiln's own lint rules: size caps, import direction, names, ambient process access, bare errors and state made at import
 * time. They judge `src/` and `main.ts`; tests, fixtures and `.ci/` are exempt.
 */
import {
  bannedWord,
  importViolation,
  lineCount,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  PURE_PATHS,
} from "./house_rules.ts";

const PROJECT_ROOT = new URL("..", import.meta.url).pathname;
const AMBIENT_DENO = ["env", "exit", "args"];
const IMPURE_GLOBALS = ["Deno", "fetch", "performance", "setTimeout", "setInterval", "process"];

type Visitor = Deno.lint.LintVisitor;
type Context = Deno.lint.RuleContext;
type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

/** The path as the rules know it (`src/tar/read.ts`), or undefined for files that they do not judge. */
export function judgedPath(filename: string): string | undefined {
  const plain = filename.replace(/^file:\/\//, "");
  const path = plain.startsWith(PROJECT_ROOT) ? plain.slice(PROJECT_ROOT.length) : plain;
  return /^src\/.*\.ts$|^main\.ts$/.test(path) ? path : undefined;
}

function rule(create: (context: Context, path: string) => Visitor): Deno.lint.Rule {
  return {
    create(context: Context): Visitor {
      const path = judgedPath(context.filename);
      return path === undefined ? {} : create(context, path);
    },
  };
}

function fileSize(context: Context): Visitor {
  return {
    Program(): void {
      const lines = lineCount(context.sourceCode.text);
      if (lines <= MAX_FILE_LINES) return;
      context.report({
        range: [0, 1],
        message: `File has ${lines} lines, more than ${MAX_FILE_LINES}: split it by noun`,
      });
    },
  };
}

function functionSize(context: Context): Visitor {
  function check(node: FunctionNode): void {
    const lines = context.sourceCode.text.slice(node.range[0], node.range[1]).split("\n").length;
    if (lines <= MAX_FUNCTION_LINES) return;
    context.report({ node, message: `Function spans ${lines} lines, more than ${MAX_FUNCTION_LINES}` });
  }
  return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
}

function importDirection(context: Context, path: string): Visitor {
  function check(node: Deno.lint.Node, specifier: unknown, isTypeOnly: boolean): void {
    if (typeof specifier !== "string") return;
    const violation = importViolation({ from: path, specifier, isTypeOnly });
    if (violation !== undefined) context.report({ node, message: `${path} -> ${specifier}: ${violation}` });
  }
  return {
    ImportDeclaration(node): void {
      check(node, node.source.value, isTypeImport(node));
    },
    ExportNamedDeclaration(node): void {
      check(node, node.source?.value, node.exportKind === "type");
    },
    ExportAllDeclaration(node): void {
      check(node, node.source.value, node.exportKind === "type");
    },
    ImportExpression(node): void {
      if (node.source.type === "Literal") check(node, node.source.value, false);
    },
  };
}

/** Whether the compiler erases an import: `import type`, or every name marked `type`. */
export function isTypeImport(node: Deno.lint.ImportDeclaration): boolean {
  if (node.importKind === "type") return true;
  return node.specifiers.length > 0 &&
    node.specifiers.every((specifier) => specifier.type === "ImportSpecifier" && specifier.importKind === "type");
}

function bannedNames(context: Context, path: string): Visitor {
  function check(node: Deno.lint.Node, name: string): void {
    const word = bannedWord(name);
    if (word !== undefined) context.report({ node, message: `Name "${name}" contains "${word}", which says nothing` });
  }
  function named(node: { readonly id: Deno.lint.Identifier | null } & Deno.lint.Node): void {
    if (node.id !== null) check(node.id, node.id.name);
  }
  return {
    Program(node): void {
      check(node, path);
      if (!/^(?:src\/)?(?:[a-z0-9_]+\/)?_?[a-z0-9_]+\.ts$/.test(path)) {
        context.report({ range: [0, 1], message: `File "${path}" is not snake_case, one level below src/` });
      }
    },
    FunctionDeclaration: named,
    ClassDeclaration: named,
    TSInterfaceDeclaration: named,
    TSTypeAliasDeclaration: named,
    VariableDeclarator(node): void {
      if (node.id.type === "Identifier") check(node.id, node.id.name);
    },
  };
}

function ambientProcess(context: Context, path: string): Visitor {
  return {
    MemberExpression(node): void {
      if (path === "main.ts" || node.object.type !== "Identifier" || node.object.name !== "Deno") return;
      if (node.property.type !== "Identifier" || !AMBIENT_DENO.includes(node.property.name)) return;
      context.report({ node, message: `Deno.${node.property.name} is for main.ts alone: take it as a parameter` });
    },
  };
}

/** As Deno's own no-sync-fn-in-async-fn, for `src/` alone: tests may block their event loop. */
function syncInAsync(context: Context): Visitor {
  return {
    "MemberExpression[object.name='Deno']"(node: Deno.lint.MemberExpression): void {
      if (node.property.type !== "Identifier" || !node.property.name.endsWith("Sync")) return;
      const around = context.sourceCode.getAncestors(node).findLast((ancestor) => /Function/.test(ancestor.type));
      if (around === undefined || !("async" in around) || !around.async) return;
      context.report({ node, message: `Deno.${node.property.name} stops the event loop of an async function` });
    },
  };
}

function bareError(context: Context): Visitor {
  return {
    ThrowStatement(node): void {
      const thrown = node.argument;
      if (thrown.type !== "NewExpression" && thrown.type !== "CallExpression") return;
      if (thrown.callee.type !== "Identifier" || thrown.callee.name !== "Error") return;
      context.report({ node, message: "Throw a BuilderError subclass (TypeError for misuse by a programmer)" });
    },
  };
}

function importTimeState(context: Context, path: string): Visitor {
  if (path === "main.ts") return {};
  return {
    Program(program): void {
      for (const statement of program.body) {
        const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
        if (declared?.type === "VariableDeclaration" && declared.kind !== "const") {
          context.report({
            node: declared,
            message: "No variables at the top of a file: state lives in objects with an owner",
          });
        }
        if (statement.type === "ExpressionStatement") {
          if (isWorkerFile(path)) continue;
          context.report({ node: statement, message: "No code at import time but plain constants" });
        }
      }
    },
    AwaitExpression(node): void {
      const isInside = context.sourceCode.getAncestors(node).some((ancestor) => /Function/.test(ancestor.type));
      if (!isInside) context.report({ node, message: "No await at the top of a file" });
    },
  };
}

/** Entry points of Workers: they must register for messages when they are loaded. */
function isWorkerFile(path: string): boolean {
  return path.endsWith("_worker.ts");
}

function pureFolders(context: Context, path: string): Visitor {
  if (!PURE_PATHS.test(path)) return {};
  return {
    Identifier(node): void {
      if (!IMPURE_GLOBALS.includes(node.name) || isPlainName(context, node)) return;
      context.report({ node, message: `${path} is pure and may not use ${node.name}` });
    },
    "CallExpression[callee.object.name='Date'][callee.property.name='now']"(node: Deno.lint.CallExpression): void {
      context.report({ node, message: `${path} is pure and may not read the clock` });
    },
  };
}

/** Whether an identifier only names a member or a key (`entry.process`, `{ fetch: 1 }`) and refers to no global. */
function isPlainName(context: Context, node: Deno.lint.Identifier): boolean {
  const parent = context.sourceCode.getAncestors(node).at(-1);
  const isSame = (other: Deno.lint.Node): boolean => other.range[0] === node.range[0];
  if (parent?.type === "MemberExpression") return !parent.computed && isSame(parent.property);
  if (parent?.type === "Property") return !parent.shorthand && isSame(parent.key);
  return parent !== undefined && /^(?:TSPropertySignature|TSMethodSignature|MethodDefinition)$/.test(parent.type);
}

const plugin: Deno.lint.Plugin = {
  name: "kiln",
  rules: {
    "file-size": rule(fileSize),
    "function-size": rule(functionSize),
    "import-direction": rule(importDirection),
    "banned-names": rule(bannedNames),
    "ambient-process": rule(ambientProcess),
    "sync-in-async": rule(syncInAsync),
    "bare-error": rule(bareError),
    "import-time-state": rule(importTimeState),
    "pure-folders": rule(pureFolders),
  },
};

export default plugin;
