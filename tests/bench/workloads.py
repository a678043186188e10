"""Makes the trees that are measured: the same bytes on every machine. A tree that is there already is left alone."""
import hashlib
import os
import random
import shutil

KIB, MIB = 1 << 10, 1 << 20


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def manifest(folder, rows):
    with open(f"{folder}/PULP_MANIFEST", "w") as file:
        file.writelines(f"{path},{digest},{size}\n" for path, digest, size in rows)


def once(folder, make):
    """Makes a folder whole or not at all."""
    if not os.path.isdir(folder):
        draft = folder + ".new"
        shutil.rmtree(draft, ignore_errors=True)
        os.makedirs(draft)
        make(draft)
        os.rename(draft, folder)
    return folder


def put(folder, path, data):
    write(f"{folder}/{path}", data)
    return path, hashlib.sha256(data).hexdigest(), len(data)


def small(folder, count):
    """So many files of 1 KiB, a hundred in a folder."""
    def make(draft):
        rng = random.Random(1)
        rows = [put(draft, f"d{i // 100:04d}/f{i:06d}.bin", rng.randbytes(KIB)) for i in range(count)]
        manifest(draft, rows)
    return once(folder, make)


def changed(folder, source):
    """The small tree with one file in a hundred changed, as many new, as many gone."""
    def make(draft):
        with open(f"{source}/PULP_MANIFEST") as file:
            rows = [line.strip().rsplit(",", 2) for line in file]
        rng = random.Random(2)
        some = max(1, len(rows) // 100)
        picks = rng.sample(range(len(rows)), 2 * some)
        touched, gone = set(picks[:some]), set(picks[some:])
        out = []
        for i, (path, digest, size) in enumerate(rows):
            if i in touched:
                out.append(put(draft, path, rng.randbytes(KIB)))
            elif i not in gone:
                os.makedirs(os.path.dirname(f"{draft}/{path}"), exist_ok=True)
                os.link(f"{source}/{path}", f"{draft}/{path}")
                out.append((path, digest, size))
        out += [put(draft, f"new/f{i:06d}.bin", rng.randbytes(KIB)) for i in range(some)]
        manifest(draft, out)
    return once(folder, make)


def large(folder, count, size):
    """So many large files."""
    def make(draft):
        rows = []
        for i in range(count):
            rng, digest, path = random.Random(1000 + i), hashlib.sha256(), f"big{i:02d}.iso"
            with open(f"{draft}/{path}", "wb") as file:
                for start in range(0, size, 4 * MIB):
                    block = rng.randbytes(min(4 * MIB, size - start))
                    digest.update(block)
                    file.write(block)
            rows.append((path, digest.hexdigest(), size))
        manifest(draft, rows)
    return once(folder, make)


def listed(folder, count):
    """A manifest of so many files that are not there: for syncs that fetch nothing."""
    def make(draft):
        rng = random.Random(3)
        manifest(draft, [(f"d{i // 100:04d}/f{i:06d}.bin", rng.randbytes(32).hex(), KIB) for i in range(count)])
    return once(folder, make)


def paths(folder):
    with open(f"{folder}/PULP_MANIFEST") as file:
        return [line.rsplit(",", 2)[0] for line in file]
