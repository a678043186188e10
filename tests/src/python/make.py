"""Makes small valid distributions: reads a JSON list on standard input, writes the files to the folder that is named,
prints what it wrote. The same input gives the same bytes."""

import base64, gzip, hashlib, io, json, pathlib, sys, tarfile, zipfile

BACKEND = '''
import pathlib, shutil
def build_wheel(directory, config_settings=None, metadata_directory=None):
    wheel, = pathlib.Path("built").glob("*.whl")
    shutil.copy(wheel, directory)
    return wheel.name
'''
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def metadata(spec):
    lines = ["Metadata-Version: 2.1", "Name: " + spec["name"], "Version: " + spec["version"]]
    lines += ["Requires-Dist: " + text for text in spec.get("requires", [])]
    if spec.get("requires_python"):
        lines.append("Requires-Python: " + spec["requires_python"])
    return ("\n".join(lines) + "\n").encode()


def wheel(spec):
    module = spec["name"].replace("-", "_").replace(".", "_").lower()
    info = f"{module}-{spec['version']}.dist-info/"
    body = f"VERSION = {spec['version']!r}\nBODY = {spec.get('body', '')!r}\n".encode()
    files = {module + ".py": body, info + "METADATA": metadata(spec)}
    files[info + "WHEEL"] = b"Wheel-Version: 1.0\nGenerator: wharf\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    digest = lambda data: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    record = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, data in files.items())
    files[info + "RECORD"] = (record + info + "RECORD,,\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 2, 3, 4, 6)), data)
    return f"{module}-{spec['version']}-py3-none-any.whl", out.getvalue()


def sdist(spec):
    name, built = wheel(spec)
    stem = f"{spec['name']}-{spec['version']}"
    files = {"PKG-INFO": metadata(spec), "pyproject.toml": PROJECT.encode(), "backend.py": BACKEND.encode()}
    files["built/" + name] = built
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(f"{stem}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stem + ".tar.gz", gzip.compress(plain.getvalue(), mtime=0)


folder = pathlib.Path(sys.argv[1])
told = []
for spec in json.load(sys.stdin):
    name, data = sdist(spec) if spec.get("kind") == "sdist" else wheel(spec)
    (folder / name).write_bytes(data)
    entry = {"filename": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    if name.endswith(".whl"):
        (folder / (name + ".metadata")).write_bytes(metadata(spec))
        entry["metadata"] = hashlib.sha256(metadata(spec)).hexdigest()
    told.append(entry)
json.dump(told, sys.stdout)
