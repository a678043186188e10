"""Makes apt repositories: the same bytes on every machine, but for the real index, which is that of the machine's apt."""
import gzip
import hashlib
import io
import lzma
import os
import random
import subprocess
import tarfile

from workloads import once, write

EPOCH = 1_577_836_800  # 2020-01-01: the time of everything inside
SUITE = "bench"


def packed(members):
    """A tar of files and folders (no bytes), in gzip without compression: its bytes depend on no library."""
    raw, out = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.uname, entry.gname = EPOCH, "root", "root"
            entry.mode = 0o755 if data is None else 0o644
            if data is None:
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(data)
            tar.addfile(entry, None if data is None else io.BytesIO(data))
    with gzip.GzipFile("", "wb", 0, out, mtime=0) as file:
        file.write(raw.getvalue())
    return out.getvalue()


def archive(members):
    parts = [b"!<arch>\n"]
    for name, data in members:
        parts.append(f"{name:<16}{EPOCH:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode())
        parts.append(data + b"\n" * (len(data) % 2))
    return b"".join(parts)


def package(rng, number):
    """A package that installs one file: its name, its bytes, its paragraph but for what says where it is."""
    name, version = f"benchdeb-{number:05d}", f"1.{number % 7}-1"
    architecture = "amd64" if number % 2 else "all"
    payload = rng.randbytes(rng.randint(512, 8192))
    needs = sorted(rng.sample(range(number), min(number, rng.randint(0, 2))))
    depends = ", ".join(f"benchdeb-{other:05d}" for other in needs)
    control = (f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
               f"Maintainer: Bench <bench@example.invalid>\nInstalled-Size: {len(payload) // 1024 + 1}\n"
               + (f"Depends: {depends}\n" if depends else "")
               + f"Section: misc\nPriority: optional\nDescription: package {number}\n Made to be measured.\n")
    folder = f"usr/share/{name}/"
    sums = f"{hashlib.md5(payload).hexdigest()}  {folder}data.bin\n"
    meta = [("./", None), ("./control", control.encode()), ("./md5sums", sums.encode())]
    data = [("./", None), ("./usr/", None), ("./usr/share/", None), (f"./{folder}", None),
            (f"./{folder}data.bin", payload)]
    deb = archive([("debian-binary", b"2.0\n"), ("control.tar.gz", packed(meta)), ("data.tar.gz", packed(data))])
    return f"pool/main/b/{name}/{name}_{version}_{architecture}.deb", deb, control


def small(folder, count):
    """So many small packages, half of them for all architectures."""
    def make(draft):
        rng, paragraphs = random.Random(4), []
        for number in range(count):
            path, deb, control = package(rng, number)
            write(f"{draft}/{path}", deb)
            paragraphs.append((f"{control}Filename: {path}\nSize: {len(deb)}\nMD5sum: {hashlib.md5(deb).hexdigest()}\n"
                               f"SHA256: {hashlib.sha256(deb).hexdigest()}\n").encode())
        lists(draft, paragraphs, 6)
    return once(folder, make)


def lists(folder, paragraphs, preset):
    """The lists of a distribution with one component and architecture."""
    text = b"\n".join(paragraphs) + b"\n"
    files = {"Packages": text, "Packages.gz": gzip.compress(text, 6, mtime=0),
             "Packages.xz": lzma.compress(text, preset=preset)}
    head = (f"Origin: Bench\nLabel: Bench\nSuite: {SUITE}\nCodename: {SUITE}\nDate: Wed, 01 Jan 2020 00:00:00 UTC\n"
            "Architectures: amd64\nComponents: main\n")
    release = head
    for title, digest in (("MD5Sum", hashlib.md5), ("SHA256", hashlib.sha256)):
        release += f"{title}:\n"
        for name, data in files.items():
            write(f"{folder}/dists/{SUITE}/main/binary-amd64/{name}", data)
            release += f" {digest(data).hexdigest()} {len(data)} main/binary-amd64/{name}\n"
    write(f"{folder}/dists/{SUITE}/Release", release.encode())


def listed(folder, count, preset=6):
    """Lists of so many packages that are not there: for syncs on demand."""
    def make(draft):
        lists(draft, some(real() or invented(63_000), count), preset)
    return once(folder, make)


def changed(folder, count, preset=2):
    """The same with one package in a hundred in a new version."""
    def make(draft):
        paragraphs = some(real() or invented(63_000), count)
        for number in random.Random(6).sample(range(len(paragraphs)), max(1, len(paragraphs) // 100)):
            paragraphs[number] = newer(paragraphs[number])
        lists(draft, paragraphs, preset)
    return once(folder, make)


def count(folder):
    with open(f"{folder}/dists/{SUITE}/main/binary-amd64/Packages", "rb") as file:
        return sum(line.startswith(b"Package:") for line in file)


def real():
    """The largest list of packages that the machine's apt has, if it has a large one."""
    try:
        command = ["apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Packages"]
        files = subprocess.run(command, capture_output=True, check=True).stdout.decode().split()
        largest = max(filter(os.path.exists, files), key=os.path.getsize)
        text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", largest], capture_output=True, check=True).stdout
    except (OSError, ValueError, subprocess.CalledProcessError):
        return []
    paragraphs = [part + b"\n" for part in text.strip().split(b"\n\n")]
    return paragraphs if len(paragraphs) >= 50_000 else []


def invented(count):
    """Paragraphs as a distribution's are on average: 760 bytes, nine dependencies."""
    rng = random.Random(5)
    words = ["".join(rng.choices("abcdefghiklmnoprstuvwxyz", k=rng.randint(2, 10))) for _ in range(8_000)]
    paragraphs = []
    for number in range(count):
        name, architecture = f"{rng.choice(words)}-{number:05d}", rng.choice(["amd64", "amd64", "all"])
        version = f"{rng.randint(0, 9)}.{rng.randint(0, 40)}.{rng.randint(0, 9)}-{rng.randint(1, 5)}"
        depends = ", ".join(f"lib{rng.choice(words)}{rng.randint(0, 9)} (>= {rng.randint(0, 9)}.{rng.randint(0, 99)})"
                            for _ in range(rng.randint(2, 16)))
        say = lambda most: " ".join(rng.choices(words, k=rng.randint(3, most)))
        paragraphs.append((
            f"Package: {name}\nSource: {rng.choice(words)}-{number // 3:05d}\nVersion: {version}\n"
            f"Installed-Size: {rng.randint(10, 99999)}\nMaintainer: {say(3)} <{rng.choice(words)}@example.invalid>\n"
            f"Architecture: {architecture}\nDepends: {depends}\nDescription: {say(9)}\n"
            f"Homepage: https://example.invalid/{say(3).replace(' ', '/')}\nDescription-md5: {rng.randbytes(16).hex()}\n"
            f"Tag: {say(12).replace(' ', '::x, ')}\nSection: {rng.choice(words)}\nPriority: optional\n"
            f"Filename: pool/main/{name[0]}/{name}/{name}_{version}_{architecture}.deb\nSize: {rng.randint(999, 9**8)}\n"
            f"MD5sum: {rng.randbytes(16).hex()}\nSHA256: {rng.randbytes(32).hex()}\n").encode())
    return paragraphs


def some(paragraphs, count):
    """So many of them, evenly picked; when there are too few, again under other names."""
    if count <= len(paragraphs):
        return [paragraphs[place * len(paragraphs) // count] for place in range(count)]
    more = [again(paragraph) for paragraph in paragraphs[:count - len(paragraphs)]]
    return paragraphs + more


def again(paragraph):
    return other(paragraph.replace(b"Package: ", b"Package: a-", 1))


def newer(paragraph):
    lines = paragraph.split(b"\n")
    return other(b"\n".join(line + b"+1" if line.startswith(b"Version:") else line for line in lines))


def other(paragraph):
    """With other bytes behind it."""
    lines = paragraph.split(b"\n")
    digest = hashlib.sha256(paragraph).hexdigest().encode()
    return b"\n".join(b"SHA256: " + digest if line.startswith(b"SHA256:") else line for line in lines)
