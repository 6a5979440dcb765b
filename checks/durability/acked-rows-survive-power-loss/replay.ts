/** What traced calls did to the files of a folder. */
import path from "node:path";
import { bytesIn, descriptorIn, pathIn, returned, type Call, type Step } from "./calls.ts";
import type { Content } from "./content.ts";
import { OnDisk, type Before } from "./on-disk.ts";

interface Open {
  readonly file: Content;
  /** Where a write goes that does not say. */
  at: number;
  readonly appends: boolean;
  readonly syncs: boolean;
}

/** Of the calls that concern the folder. */
export type Counts = {
  readonly writes: number;
  readonly bytes: number;
  readonly syncs: number;
};

export class Replay {
  readonly onDisk: OnDisk;
  readonly #folder: string;
  /** By number, of whichever process: one that belongs to another file now is not believed. */
  readonly #open = new Map<number, Open>();
  /** By thread: the files that the call is about, each with how much of it a sync makes lasting. */
  readonly #underWay = new Map<string, readonly (readonly [Content, number])[]>();
  readonly #counts = { writes: 0, bytes: 0, syncs: 0 };
  #problem: string | undefined;

  /** `folder`: its absolute path, without symbolic links. */
  constructor(folder: string, before: Before) {
    this.#folder = folder;
    this.onDisk = new OnDisk(before);
  }

  /** A call whose effect is not known: nothing can be concluded. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  /** Bytes that were written to files that are still there, and would be lost. */
  get unsynced(): number {
    return [...this.onDisk.files()].reduce((sum, file) => sum + file.unsynced, 0);
  }

  /** Whether a call that never returned may have changed it. */
  isUncertain(name: string): boolean {
    const file = this.onDisk.file(name);
    return [...this.#underWay.values()].some((files) => files.some(([one]) => one === file));
  }

  take({ thread, call, is }: Step): void {
    if (is === "begun") {
      const files = isSyncOfAll(call) ? [...this.onDisk.files()] : [this.#fileOf(call.args[0]) ?? []].flat();
      this.#underWay.set(
        thread,
        files.map((file) => [file, file.changes] as const),
      );
      return;
    }
    const files = this.#underWay.get(thread) ?? [];
    this.#underWay.delete(thread);
    if (/^(-|\?|$)/.test(call.result)) return;
    const { name } = call;
    if (isSync(call) || isSyncOfAll(call)) this.#sync(call, files);
    else if (/^(p?write(v|v2|64)?)$/.test(name)) this.#write(call);
    else if (/^(open|openat|openat2|creat)$/.test(name)) this.#opened(call);
    else if (/^(dup|dup2|dup3|fcntl|close|lseek)$/.test(name)) this.#changeDescriptor(call);
    else if (/^(f?truncate|fallocate)$/.test(name)) this.#resize(call);
    else if (/^(copy_file_range|sendfile)$/.test(name)) this.#copy(call);
    else if (/^(rename|link|unlink|rmdir|mkdir|symlink)/.test(name)) this.#changeNames(call);
    else this.#refuse(call);
  }

  #not(why: string): void {
    this.#problem ??= why;
  }

  /** Relative to the folder; undefined if it is not in it. */
  #name(place: string): string | undefined {
    const name = path.posix.relative(this.#folder, place);
    return name === "" || name.startsWith("../") || name === ".." || path.posix.isAbsolute(name) ? undefined : name;
  }

  /** Of a path as an argument, which may be relative to a folder that is open. */
  #named(arg: string, folder?: string): string | undefined {
    const place = pathIn(arg);
    const from = folder === undefined ? undefined : descriptorIn(folder)?.path;
    return this.#name(path.posix.resolve(from ?? "/", place));
  }

  #fileOf(arg: string | undefined): Content | undefined {
    const found = arg === undefined ? undefined : descriptorIn(arg);
    const name = found === undefined ? undefined : this.#name(found.path);
    if (found === undefined || name === undefined) return undefined;
    return found.isDeleted ? this.#open.get(found.number)?.file : this.onDisk.file(name);
  }

  #isInside(arg: string | undefined): boolean {
    const found = arg === undefined ? undefined : descriptorIn(arg);
    return found !== undefined && this.#name(found.path) !== undefined && !found.isDeleted;
  }

  #sync(call: Call, files: readonly (readonly [Content, number])[]): void {
    if (isSync(call) && !this.#isInside(call.args[0])) return;
    this.#counts.syncs += 1;
    for (const [file, changes] of files) file.sync(changes);
  }

  #write(call: Call): void {
    const [target = "", data = "", ...rest] = call.args;
    if (!this.#isInside(target)) return;
    const file = this.#fileOf(target);
    const bytes = bytesIn(data)?.subarray(0, returned(call));
    if (file === undefined) return this.#not("it wrote to a file whose making was not seen");
    if (bytes === undefined || bytes.length !== returned(call)) return this.#not("a write is too long to be recorded");
    const open = this.#openOf(target, file);
    const place = call.name.startsWith("p") ? Number(rest[1]) : -1;
    const moves = place < 0;
    if (open === undefined) return this.#not("it wrote to a file whose opening was not seen");
    const at = open.appends ? file.size : moves ? open.at : place;
    file.change({ kind: "bytes", at, bytes });
    if (moves) open.at = at + bytes.length;
    this.#counts.writes += 1;
    this.#counts.bytes += bytes.length;
    if (open.syncs || /RWF_D?SYNC/.test(rest[2] ?? "")) {
      this.#counts.syncs += 1;
      file.sync();
    }
  }

  #openOf(target: string, file: Content): Open | undefined {
    const open = this.#open.get(descriptorIn(target)?.number ?? -1);
    return open?.file === file ? open : undefined;
  }

  #opened({ name, args, result }: Call): void {
    const found = descriptorIn(result);
    const inside = found === undefined ? undefined : this.#name(found.path);
    if (found === undefined) return;
    this.#open.delete(found.number);
    if (inside === undefined) return;
    const flags = name === "creat" ? "O_CREAT|O_TRUNC" : args.slice(1).join();
    if (flags.includes("O_TMPFILE")) return this.#not("it made a file without a name (O_TMPFILE)");
    const file = this.onDisk.file(inside) ?? (flags.includes("O_CREAT") ? this.onDisk.make(inside) : undefined);
    // A folder.
    if (file === undefined) return;
    if (flags.includes("O_TRUNC") && file.size > 0) file.change({ kind: "size", size: 0 });
    const [appends, syncs] = [flags.includes("O_APPEND"), /O_D?SYNC/.test(flags)];
    this.#open.set(found.number, { file, at: 0, appends, syncs });
  }

  #changeDescriptor(call: Call): void {
    const { name, args, result } = call;
    const [first = ""] = args;
    const number = descriptorIn(first)?.number ?? -1;
    if (name === "close") this.#open.delete(number);
    else if (name === "lseek") {
      const open = this.#open.get(number);
      if (open !== undefined) open.at = returned(call) ?? open.at;
    } else if (name !== "fcntl" || args[1]?.startsWith("F_DUPFD") === true) {
      const [open, copy] = [this.#open.get(number), descriptorIn(result)?.number ?? -1];
      // Both share the place of the next write.
      if (open === undefined) this.#open.delete(copy);
      else this.#open.set(copy, open);
    }
  }

  #resize({ name, args }: Call): void {
    const [first = "", ...rest] = args;
    const inside = name === "truncate" ? this.#named(first) : undefined;
    const file = inside === undefined ? this.#fileOf(first) : this.onDisk.file(inside);
    if (file === undefined) return;
    if (name !== "fallocate") return file.change({ kind: "size", size: Number(rest[0]) });
    const [mode = "", at, count] = [rest[0], Number(rest[1]), Number(rest[2])];
    if (mode === "0") {
      if (at + count > file.size) file.change({ kind: "size", size: at + count });
    } else if (mode === "FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE") {
      file.change({ kind: "zeros", at, count: Math.max(0, Math.min(count, file.size - at)) });
    } else if (mode !== "FALLOC_FL_KEEP_SIZE") this.#not(`it changed a file in place with fallocate (${mode})`);
  }

  #copy(call: Call): void {
    const isSendfile = call.name === "sendfile";
    const [first = "", second = "", third = "", fourth = ""] = call.args;
    const [source, from, target, to] = isSendfile ? [second, third, first, "NULL"] : [first, second, third, fourth];
    if (!this.#isInside(target)) return;
    const [origin, file] = [this.#fileOf(source), this.#fileOf(target)];
    const count = returned(call) ?? 0;
    if (origin === undefined || file === undefined) return this.#not(`it copied into a file with ${call.name}`);
    const [reads, writes] = [this.#openOf(source, origin), this.#openOf(target, file)];
    const begin = offset(from) ?? reads?.at;
    const at = offset(to) ?? writes?.at;
    if (begin === undefined || at === undefined) return this.#not("it copied between files whose opening was not seen");
    file.change({ kind: "bytes", at, bytes: Buffer.from(origin.now().subarray(begin, begin + count)) });
    if (from === "NULL" && reads !== undefined) reads.at = begin + count;
    if (to === "NULL" && writes !== undefined) writes.at = at + count;
    this.#counts.writes += 1;
    this.#counts.bytes += count;
  }

  #changeNames({ name, args }: Call): void {
    const isAt = /at2?$/.test(name);
    const [first = "", second = "", third = "", fourth = "", flags = ""] = args;
    const one = isAt ? this.#named(second, first) : this.#named(first);
    const other = isAt ? this.#named(fourth, third) : this.#named(second);
    if (name.startsWith("symlink")) {
      if (this.#named(isAt ? third : second, isAt ? second : undefined) !== undefined)
        this.#not("it made a symbolic link");
    } else if (name.startsWith("rename") || name.startsWith("link")) {
      if (one === undefined && other === undefined) return;
      if (flags.includes("RENAME_EXCHANGE")) this.#not("it exchanged two names");
      else if (one === undefined) this.#not("it moved a file into the folder");
      else if (other === undefined) {
        if (name.startsWith("rename")) this.#not("it moved a file out of the folder");
      } else if (name.startsWith("rename")) this.onDisk.rename(one, other);
      else this.onDisk.link(one, other);
    } else if (one === undefined) return;
    else if (name.startsWith("mkdir")) this.onDisk.makeFolder(one);
    else if (name === "rmdir" || third.includes("AT_REMOVEDIR")) this.onDisk.removeFolder(one);
    else this.onDisk.remove(one);
  }

  /** Other ways to change a file, which leave no trace of what they change. */
  #refuse({ name, args }: Call): void {
    const touches = args.some((arg) => this.#isInside(arg));
    if (name === "io_uring_setup" || name === "io_submit") this.#not(`it writes in a way that is not traced (${name})`);
    else if (name === "splice" && touches) this.#not("it wrote to a file with splice");
    else if (name === "ioctl" && touches && /FICLONE/.test(args.join())) this.#not("it cloned a file");
    else if (name === "mmap" && touches && /PROT_WRITE/.test(args.join()) && /MAP_SHARED/.test(args.join()))
      this.#not("it writes to a file through memory (mmap)");
  }
}

function isSync({ name }: Call): boolean {
  return name === "fsync" || name === "fdatasync";
}

function isSyncOfAll({ name }: Call): boolean {
  return name === "sync" || name === "syncfs";
}

/** As strace prints where a call begins: `[4]`, or `[4] => [6]` with where it ended. */
function offset(arg: string): number | undefined {
  const [, at] = /^\[(\d+)\]/.exec(arg) ?? [];
  return at === undefined ? undefined : Number(at);
}
