package wharftest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wire"
)

// FakeHost is what upstream, the repository and the host hold, as the plugin will see it.
//
// A download is answered from [FakeHost.File] by its address, else from a folder given by [FakeHost.Folder], else read
// from a file:// address. The ETag is the digest of the bytes.
type FakeHost struct {
	lock     sync.Mutex
	files    map[string][]byte
	folders  []folder
	units    []*wire.Unit
	secrets  map[string][]byte
	state    map[string]wharf.State
	settings string
	requests []string
	doings   []Doing
	signer   func(wharf.SignForm, []byte) wharf.Signed
}

type folder struct{ base, path string }

// NewFakeHost is a host with nothing.
func NewFakeHost() *FakeHost {
	return &FakeHost{
		files: map[string][]byte{}, secrets: map[string][]byte{}, state: map[string]wharf.State{}, settings: "{}",
	}
}

// File is what this address answers.
func (h *FakeHost) File(url, bytes string) *FakeHost {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.files[url] = []byte(bytes)
	return h
}

// Folder says that addresses that begin with base are files of this folder.
func (h *FakeHost) Folder(base, path string) *FakeHost {
	h.folders = append(h.folders, folder{base, path})
	return h
}

// Unit is a unit of the job's version; it gets the next number from 1 on, unless it has one.
func (h *FakeHost) Unit(unit *wharf.Unit) *FakeHost {
	made := unit.Wire()
	if made.Id == 0 {
		made.Id = uint64(len(h.units) + 1)
	}
	h.units = append(h.units, made)
	return h
}

// Secret is a secret of the instance.
func (h *FakeHost) Secret(name, value string) *FakeHost {
	h.secrets[name] = []byte(value)
	return h
}

// Settings is what the host answers when it is asked for settings: the text of a JSON object.
func (h *FakeHost) Settings(object string) *FakeHost {
	h.settings = object
	return h
}

// Signer says how this host signs; without it, it does not.
func (h *FakeHost) Signer(sign func(form wharf.SignForm, bytes []byte) wharf.Signed) *FakeHost {
	h.signer = sign
	return h
}

// Requests are the addresses that were asked for so far, with " (unchanged)" behind those answered by validators alone.
func (h *FakeHost) Requests() []string {
	h.lock.Lock()
	defer h.lock.Unlock()
	return slices.Clone(h.requests)
}

// Doings are what the plugin did to the host so far: jobs that it started, claims, contributions, events.
func (h *FakeHost) Doings() []Doing {
	h.lock.Lock()
	defer h.lock.Unlock()
	return slices.Clone(h.doings)
}

func (h *FakeHost) asked(url string) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.requests = append(h.requests, url)
}

// Register offers service Host on a server, for tests that start the plugin's process and serve it on a socket. Downloads
// are staged in workDir. Calls must carry [Token].
func (h *FakeHost) Register(on grpc.ServiceRegistrar, workDir string) {
	wire.RegisterHostServer(on, &hostService{host: h, workDir: workDir})
}

// read is what an address answers.
func (h *FakeHost) read(url string) ([]byte, bool) {
	h.lock.Lock()
	bytes, is := h.files[url]
	h.lock.Unlock()
	if is {
		return bytes, true
	}
	path, is := strings.CutPrefix(url, "file://")
	for _, folder := range h.folders {
		if rest, within := strings.CutPrefix(url, folder.base); within {
			path, is = filepath.Join(folder.path, filepath.FromSlash(rest)), true
			break
		}
	}
	if !is {
		return nil, false
	}
	bytes, err := os.ReadFile(path)
	return bytes, err == nil
}

// stored is the bytes that the host has under a digest.
func (h *FakeHost) stored(digest string) ([]byte, bool) {
	h.lock.Lock()
	defer h.lock.Unlock()
	for _, bytes := range h.files {
		if digestOf(bytes) == digest {
			return bytes, true
		}
	}
	return nil, false
}

func digestOf(bytes []byte) string {
	sum := sha256.Sum256(bytes)
	return "sha256:" + hex.EncodeToString(sum[:])
}
