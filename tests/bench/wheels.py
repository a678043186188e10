"""Makes package indexes: projects with wheels that install, pages in HTML and JSON."""
import base64
import hashlib
import html
import io
import json
import os
import random
import time
import zipfile

from workloads import once, write

EPOCH = 1_577_836_800  # 2020-01-01: the time of everything inside
SERIAL = 1_000


def project(number):
    return f"benchpkg-{number:05d}"


def wheel(rng, name, version):
    """File name, bytes and metadata. Nothing is compressed: the bytes depend on no library."""
    folder = name.replace("-", "_")
    info = f"{folder}-{version}.dist-info"
    metadata = (f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: Made to be measured\n"
                "Requires-Python: >=3.8\n\nNothing.\n").encode()
    members = [(f"{folder}/__init__.py", f'__version__ = "{version}"\n'.encode()),
               (f"{folder}/data.bin", rng.randbytes(rng.randint(1024, 16384))),
               (f"{info}/METADATA", metadata),
               (f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: bench (1)\nRoot-Is-Purelib: true\nTag: py3-none-any\n")]
    digest = lambda data: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    record = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, data in members)
    members.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for path, data in members:
            entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            file.writestr(entry, data)
    return f"{folder}-{version}-py3-none-any.whl", out.getvalue(), metadata


def files(folder, projects, versions):
    """The wheels with their metadata below `packages`, and `facts.json` about them."""
    def make(draft):
        rng, facts = random.Random(7), []
        for number in range(projects):
            name, known = project(number), []
            for version in (f"1.{minor}" for minor in range(versions)):
                filename, data, metadata = wheel(rng, name, version)
                blake = hashlib.blake2b(data, digest_size=32).hexdigest()
                path = f"packages/{blake[:2]}/{blake[2:4]}/{blake[4:]}/{filename}"
                write(f"{draft}/{path}", data)
                write(f"{draft}/{path}.metadata", metadata)
                known.append(dict(version=version, filename=filename, path=path, size=len(data), blake=blake,
                                  sha256=hashlib.sha256(data).hexdigest(), md5=hashlib.md5(data).hexdigest(),
                                  metadata=hashlib.sha256(metadata).hexdigest()))
            facts.append((name, known))
        write(f"{draft}/facts.json", json.dumps(facts).encode())
    return once(folder, make)


def named(projects, versions):
    """The same facts of wheels that are not there, without metadata beside them."""
    rng = random.Random(8)
    for number in range(projects):
        name, known = project(number), []
        for version in (f"1.{minor}" for minor in range(versions)):
            filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
            known.append(dict(version=version, filename=filename, path=f"packages/{filename}",
                              size=rng.randint(1024, 99999), sha256=rng.randbytes(32).hex()))
        yield name, known


def simple(folder, facts, base, changed=()):
    """The simple index below `simple`. Files are named by whole addresses: some clients want them."""
    projects = []
    for place, (name, known) in enumerate(facts):
        if place in changed:
            known = known + [dict(known[-1], version="2.0", filename=known[-1]["filename"].replace("-1.", "-2."),
                                  sha256=hashlib.sha256(known[-1]["sha256"].encode()).hexdigest())]
        projects.append(name)
        page = dict(meta={"api-version": "1.1", "_last-serial": SERIAL}, name=name,
                    versions=[file["version"] for file in known],
                    files=[entry(file, base, number) for number, file in enumerate(known)])
        write(f"{folder}/simple/{name}/index.v1_json", json.dumps(page).encode())
        links = "".join(link(file, base) for file in known)
        write(f"{folder}/simple/{name}/index.html", f"<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n".encode())
    listing = [{"name": name, "_last-serial": SERIAL} for name in projects]
    write(f"{folder}/simple/index.v1_json", json.dumps(
        {"meta": {"api-version": "1.1", "_last-serial": SERIAL}, "projects": listing}).encode())
    links = "".join(f'<a href="/simple/{name}/">{name}</a>\n' for name in projects)
    write(f"{folder}/simple/index.html", f"<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n".encode())


def entry(file, base, number):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(EPOCH + 60 * number))
    said = {"filename": file["filename"], "url": f"{base}{file['path']}", "hashes": {"sha256": file["sha256"]},
            "size": file["size"], "requires-python": ">=3.8", "upload-time": stamp, "yanked": False}
    if "metadata" in file:
        said["core-metadata"] = {"sha256": file["metadata"]}
    return said


def link(file, base):
    beside = f' data-core-metadata="sha256={file["metadata"]}"' if "metadata" in file else ""
    return (f'<a href="{base}{file["path"]}#sha256={file["sha256"]}" data-requires-python="{html.escape(">=3.8")}"'
            f'{beside}>{file["filename"]}</a><br>\n')


def index(folder, wheels, base):
    """Pages about wheels that are there, with what bandersnatch reads of each project besides."""
    with open(f"{wheels}/facts.json") as file:
        facts = json.load(file)
    os.makedirs(folder)
    os.symlink(f"{wheels}/packages", f"{folder}/packages")
    simple(folder, facts, base)
    for name, known in facts:
        releases = {file["version"]: [release(file, base, number)] for number, file in enumerate(known)}
        latest = known[-1]["version"]
        info = dict(name=name, version=latest, summary="Made to be measured", requires_python=">=3.8", yanked=False,
                    classifiers=[], requires_dist=None, license="", home_page="", author="", author_email="",
                    description="", keywords="", platform="", maintainer="", maintainer_email="")
        write(f"{folder}/pypi/{name}/json", json.dumps(dict(
            info=info, last_serial=SERIAL, releases=releases, urls=releases[latest], vulnerabilities=[])).encode())
    return facts


def release(file, base, number):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(EPOCH + 60 * number))
    digests = dict(md5=file["md5"], sha256=file["sha256"], blake2b_256=file["blake"])
    return dict(filename=file["filename"], url=f"{base}{file['path']}", digests=digests, md5_digest=file["md5"],
                size=file["size"], packagetype="bdist_wheel", python_version="py3", requires_python=">=3.8",
                upload_time=stamp, upload_time_iso_8601=f"{stamp}.000000Z", yanked=False, yanked_reason=None,
                has_sig=False, downloads=-1, comment_text="")
