/** `command:remote:CopyToRemote`: files over SFTP, when their content or their place changed. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join as joinLocal, posix } from "node:path";
import { promisify } from "node:util";
import type { SFTPWrapper } from "ssh2";
import { type Archive, type Asset, isArchive, isAsset } from "../plugin/property-values";
import { recorded } from "./activity-log";
import { type Connection, type Operation, withClient } from "./connection";

export interface Copy {
  readonly connection: Connection;
  readonly source: Asset | Archive;
  readonly remotePath: string;
}

export async function copyToRemote(inputs: Copy, operation: Operation): Promise<void> {
  const { connection, source, remotePath } = inputs;
  await withClient(connection, operation, (client) =>
    recorded({ event: "copy", urn: operation.urn, host: connection.host }, async () => {
      const remote = new RemoteFiles(await promisify(client.sftp.bind(client))());
      await (isAsset(source) ? copyAsset(remote, source, remotePath) : copyArchive(remote, source, remotePath));
    }),
  );
}

/** Another connection, other triggers: nothing to copy. */
export function needsCopy(before: Copy, after: Copy): boolean {
  return before.source.hash !== after.source.hash || before.remotePath !== after.remotePath;
}

async function copyAsset(remote: RemoteFiles, asset: Asset, remotePath: string): Promise<void> {
  if (asset.text !== undefined) {
    if ((await remote.kind(remotePath)) === "folder") {
      throw new Error(
        `remote path ${remotePath} is a directory; when using a text asset, remotePath must be a file path`,
      );
    }
    return remote.write(remotePath, asset.text);
  }
  return copyPath(remote, localPath(asset), remotePath);
}

async function copyArchive(remote: RemoteFiles, archive: Archive, remotePath: string): Promise<void> {
  return archive.assets === undefined
    ? copyPath(remote, localPath(archive), remotePath)
    : copyEntries(remote, archive.assets, remotePath);
}

/**
 * A file or folder of this machine. Archive files such as .tgz are copied as they are.
 *
 * | source | remotePath is a folder | remotePath does not exist | remotePath is a file |
 * |--------|------------------------|---------------------------|----------------------|
 * | dir    | remotePath/dir         | remotePath/dir            | error                |
 * | dir/   | remotePath/*           | remotePath/*              | error                |
 * | file   | remotePath/file        | remotePath                | overwritten          |
 */
async function copyPath(remote: RemoteFiles, source: string, remotePath: string): Promise<void> {
  const intoFolder = posix.join(remotePath, basename(source));
  if ((await stat(source)).isDirectory()) {
    return copyFolder(remote, source, source.endsWith("/") ? remotePath : intoFolder);
  }
  const target = (await remote.kind(remotePath)) === "folder" ? intoFolder : remotePath;
  return remote.write(target, await readFile(source));
}

async function copyFolder(remote: RemoteFiles, source: string, target: string): Promise<void> {
  await remote.makeFolder(target);
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const [from, to] = [joinLocal(source, entry.name), posix.join(target, entry.name)];
    await (entry.isDirectory() ? copyFolder(remote, from, to) : remote.write(to, await readFile(from)));
  }
}

/** An AssetArchive: every entry goes to remotePath/name. */
async function copyEntries(
  remote: RemoteFiles,
  entries: Readonly<Record<string, unknown>>,
  folder: string,
): Promise<void> {
  await remote.makeFolder(folder);
  for (const [name, entry] of Object.entries(entries)) {
    const target = posix.join(folder, name);
    if (isArchive(entry)) {
      await copyArchiveEntry(remote, entry, target);
    } else if (isAsset(entry)) {
      await remote.write(target, entry.text ?? (await readFile(localPath(entry))));
    } else {
      throw new Error(`entry '${name}' of the archive is neither an asset nor an archive`);
    }
  }
}

/** An archive inside an AssetArchive is unpacked under its name. */
async function copyArchiveEntry(remote: RemoteFiles, archive: Archive, target: string): Promise<void> {
  if (archive.assets !== undefined) {
    return copyEntries(remote, archive.assets, target);
  }
  const folder = localPath(archive);
  if (!(await stat(folder)).isDirectory()) {
    throw new Error(`the stand-in for the command provider does not unpack archive files: ${folder}`);
  }
  return copyFolder(remote, folder, target);
}

function localPath({ path }: { readonly path?: string }): string {
  if (path === undefined) {
    throw new Error("the stand-in for the command provider does not download remote assets or archives");
  }
  return path;
}

/** `SSH_FX_NO_SUCH_FILE` of the SFTP protocol. */
const noSuchFile = 2;

class RemoteFiles {
  public constructor(private readonly sftp: SFTPWrapper) {}

  public async kind(path: string): Promise<"file" | "folder" | "none"> {
    try {
      const stats = await promisify(this.sftp.stat.bind(this.sftp))(path);
      return stats.isDirectory() ? "folder" : "file";
    } catch (error) {
      if ((error as { code?: unknown }).code === noSuchFile) {
        return "none";
      }
      throw new Error(`failed to stat remote path ${path}: ${(error as Error).message}`);
    }
  }

  /** Makes the folder and its parents. */
  public async makeFolder(path: string): Promise<void> {
    const kind = await this.kind(path);
    if (kind === "file") {
      throw new Error(`remote path ${path} exists but is not a directory`);
    }
    if (kind === "none") {
      await this.makeFolder(posix.dirname(path));
      await promisify<string, void>(this.sftp.mkdir.bind(this.sftp))(path).catch((error: Error) => {
        throw new Error(`failed to create remote directory ${path}: ${error.message}`);
      });
    }
  }

  /** Creates or overwrites a file. Its mode is the server's default: an execute bit does not survive a copy. */
  public async write(path: string, content: string | Buffer): Promise<void> {
    await this.makeFolder(posix.dirname(path));
    await promisify<string, string | Buffer, void>(this.sftp.writeFile.bind(this.sftp))(path, content).catch(
      (error: Error) => {
        throw new Error(`failed to write remote file ${path}: ${error.message}`);
      },
    );
  }
}
