/**
 * What a resource or a function of a provider accepts, read from the types of its SDK that is installed here: so nobody has
 * to say it again, and the stand-in takes nothing that the real one would not.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { VALUES } from "../cloud/values";
import type { Property, Shape } from "../plugin/shape";

/**
 * The arguments of a resource (`aws:ec2/instance:Instance`) or of a function (`gcp:compute/getImage:getImage`).
 * @throws an Error if the SDK has no such thing
 */
export function argumentsOf(token: string): Shape {
  const known = shapes.get(token);
  if (known !== undefined) return known;
  const [sdk = "", path = "", name = ""] = token.split(":");
  const file = join(folderOf(sdk), `${path.replace(/^index\//, "")}.d.ts`);
  const wanted = `${name.charAt(0).toUpperCase()}${name.slice(1)}Args`;
  const declared = existsSync(file) ? interfaceIn(sourceOf(file), wanted) : undefined;
  if (declared === undefined) throw new Error(`@pulumi/${sdk} has no ${token}`);
  const shape = shapeOf(declared, sdk, token);
  shapes.set(token, shape);
  return shape;
}

/** The version of an SDK, which is the one of its provider. */
export function versionOf(sdk: string): string {
  return JSON.parse(readFileSync(join(folderOf(sdk), "package.json"), "utf8")).version;
}

const shapes = new Map<string, Shape>();

function folderOf(sdk: string): string {
  return dirname(require.resolve(`@pulumi/${sdk}/package.json`));
}

const sources = new Map<string, ts.SourceFile>();

/** A file's syntax, without its comments. The one with all nested types has megabytes, and takes a quarter of a second. */
function sourceOf(file: string): ts.SourceFile {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const options = { languageVersion: ts.ScriptTarget.Latest, jsDocParsingMode: ts.JSDocParsingMode.ParseNone };
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), options);
  sources.set(file, source);
  return source;
}

type Declarations = ts.SourceFile | ts.ModuleBlock;

function interfaceIn(declarations: Declarations, name: string): ts.InterfaceDeclaration | undefined {
  return declarations.statements.find((it) => ts.isInterfaceDeclaration(it) && it.name.text === name) as
    | ts.InterfaceDeclaration
    | undefined;
}

/** The interface that `inputs.ec2.InstanceRootBlockDevice` means. */
function nestedInterface(sdk: string, names: readonly string[]): ts.InterfaceDeclaration {
  let declarations: Declarations = sourceOf(join(folderOf(sdk), "types/input.d.ts"));
  for (const name of names.slice(0, -1)) {
    const module = declarations.statements.find((it) => ts.isModuleDeclaration(it) && it.name.text === name);
    declarations = (module as ts.ModuleDeclaration).body as ts.ModuleBlock;
  }
  return interfaceIn(declarations, names.at(-1) ?? "") as ts.InterfaceDeclaration;
}

/** @param key of its values */
function shapeOf(declared: ts.InterfaceDeclaration, sdk: string, key: string): Shape {
  const properties = declared.members.filter(ts.isPropertySignature).map((member): [string, Property] => {
    const name = (member.name as ts.Identifier).text;
    const { oneOf: named = [], ...typed } = propertyOf(member.type, sdk);
    const oneOf = [...named, ...(VALUES[key]?.[name] ?? [])];
    const required = member.questionToken === undefined ? ({ required: true } as const) : {};
    return [name, { ...typed, ...(oneOf.length > 0 ? { oneOf } : {}), ...required }];
  });
  return Object.fromEntries(properties);
}

type Typed = Pick<Property, "kind" | "many" | "oneOf">;

const anything: Typed = { kind: "anything" };

const kinds: Readonly<Partial<Record<ts.SyntaxKind, Typed>>> = {
  [ts.SyntaxKind.StringKeyword]: { kind: "string" },
  [ts.SyntaxKind.NumberKeyword]: { kind: "number" },
  [ts.SyntaxKind.BooleanKeyword]: { kind: "boolean" },
};

/** A property of such a type. What is neither one type nor a list or map of one may be anything. */
function propertyOf(type: ts.TypeNode | undefined, sdk: string): Typed {
  if (type === undefined) return anything;
  const simple = kinds[type.kind];
  if (simple !== undefined) return simple;
  if (ts.isArrayTypeNode(type)) return manyOf("list", type.elementType, sdk);
  if (ts.isTypeLiteralNode(type)) {
    const index = type.members.find(ts.isIndexSignatureDeclaration);
    return index === undefined ? anything : manyOf("map", index.type, sdk);
  }
  if (ts.isUnionTypeNode(type)) return unionOf(type, sdk);
  return ts.isTypeReferenceNode(type) ? referenceOf(type, sdk) : anything;
}

function manyOf(many: "list" | "map", type: ts.TypeNode, sdk: string): Typed {
  const item = propertyOf(type, sdk);
  return item.many === undefined ? { ...item, many } : { kind: "anything", many };
}

/** By `string | enums...` the SDK takes any text, but its cloud does not; what is left out is undefined. */
function unionOf(type: ts.UnionTypeNode, sdk: string): Typed {
  const isEnum = (it: ts.TypeNode) => namesIn(it)[0] === "enums";
  const types = type.types.filter((it) => it.kind !== ts.SyntaxKind.UndefinedKeyword && !isEnum(it));
  const [named] = type.types.filter(isEnum);
  const plain = types.length === 1 ? propertyOf(types[0], sdk) : anything;
  return named === undefined ? plain : { ...plain, oneOf: textsOf(namesIn(named).slice(1), sdk) };
}

/** The texts of the enum that `enums.ec2.Tenancy` means. */
function textsOf(names: readonly string[], sdk: string): string[] {
  const source = sourceOf(join(folderOf(sdk), "types/enums", ...names.slice(0, -1), "index.d.ts"));
  const [declared] = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .filter(({ name }) => ts.isIdentifier(name) && name.text === names.at(-1)) as [ts.VariableDeclaration];
  return (declared.type as ts.TypeLiteralNode).members
    .filter(ts.isPropertySignature)
    .map(({ type }) => ((type as ts.LiteralTypeNode).literal as ts.StringLiteral).text);
}

function referenceOf(type: ts.TypeReferenceNode, sdk: string): Typed {
  const [first, ...names] = namesIn(type);
  if (first === "pulumi" && names[0] === "Input") return propertyOf(type.typeArguments?.[0], sdk);
  if (first === "inputs") return { kind: nestedShape(sdk, names) };
  return anything;
}

/** What `inputs.ec2.Route` accepts. Some shapes have themselves inside, so each is there before it is filled. */
export function nestedShape(sdk: string, names: readonly string[]): Shape {
  const token = `${sdk} ${names.join(".")}`;
  const known = shapes.get(token);
  if (known !== undefined) return known;
  const shape: Record<string, Property> = {};
  shapes.set(token, shape);
  return Object.assign(shape, shapeOf(nestedInterface(sdk, names), sdk, token));
}

/** `inputs.ec2.Route` as its words; none for what is no name. */
function namesIn(type: ts.TypeNode): string[] {
  if (!ts.isTypeReferenceNode(type)) return [];
  const names = (name: ts.EntityName): string[] =>
    ts.isIdentifier(name) ? [name.text] : [...names(name.left), name.right.text];
  return names(type.typeName);
}
