package wharf_test

// A plugin that does what its setting "task" says, for the tests of calls.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wharftest"
)

const (
	sampleManifest = `{
		"manifest_version": 1, "name": "sample", "version": "1.2.3",
		"components": [
			{ "id": "importer", "role": "importer", "profile": "content", "operations": ["sync"], "content_types": ["thing"] },
			{ "id": "tree", "role": "distributor", "operations": ["publish"] },
			{ "id": "maker", "role": "builder", "operations": ["build"], "produces": ["thing"] },
			{ "id": "doer", "role": "action", "operations": ["run"] }
		],
		"migrations": [{ "number": 1, "name": "names become long", "type": "thing", "from": 1, "to": 2 }],
		"fast_forward": true
	}`
	sampleTypes = `{"types": [{"id": "thing", "display_name": "Thing", "description": "",
		"unit_key": ["name", {"name": "sha256", "from": "artifact"}]}]}`
	deadline = 20 * time.Second
)

type task struct {
	Task string `json:"task"`
}

type name struct {
	Name string `json:"name"`
}

func thing(called string) *wharf.Unit { return wharf.NewUnit("thing").Key(name{called}) }

// sample is the importer. Its channels say how far the call is.
type sample struct {
	wharf.ImporterBase
	begun, ended, release chan struct{}
	leaked                chan error
	told                  atomic.Int64
}

func newSample() *sample {
	return &sample{begun: make(chan struct{}, 1), ended: make(chan struct{}, 1), release: make(chan struct{}),
		leaked: make(chan error, 1)}
}

func (s *sample) Sync(ctx *wharf.Context, request *wharf.SyncRequest) (*wharf.Done, error) {
	defer say(s.ended)
	say(s.begun)
	var task task
	if err := request.Attachment.Settings(&task); err != nil {
		return nil, err
	}
	switch task.Task {
	case "tell":
		return tellEverything(ctx)
	case "ask":
		return askEverything(ctx)
	case "download":
		return wharf.Changed(), declareDownload(ctx)
	case "many":
		for n := range 2_500 {
			if err := ctx.Unit(thing(strconv.Itoa(n))); err != nil {
				return nil, err
			}
		}
		return wharf.Changed(), nil
	case "large":
		for n := range 30 {
			body := map[string]string{"body": strings.Repeat("x", 100_000)}
			if err := ctx.Unit(thing(strconv.Itoa(n)).Attributes(body)); err != nil {
				return nil, err
			}
		}
		return wharf.Changed(), nil
	case "huge":
		return nil, ctx.Unit(thing("a").Attributes(map[string]string{"body": strings.Repeat("x", 2<<20)}))
	case "endless":
		for {
			if err := ctx.Unit(thing("again")); err != nil {
				return nil, err
			}
			s.told.Add(1)
		}
	case "leak":
		go func() {
			<-s.release
			s.leaked <- ctx.Unit(thing("late"))
		}()
		return wharf.Unchanged(), nil
	case "stuck":
		// Ignores the cancel, until the test has seen that it was left behind.
		<-s.release
		return wharf.Changed(), nil
	}
	return s.fail(ctx, task.Task)
}

// fail ends calls badly.
func (s *sample) fail(ctx *wharf.Context, task string) (*wharf.Done, error) {
	switch task {
	case "panic":
		panic("on purpose")
	case "nothing":
		return nil, nil
	case "error":
		return nil, errors.New("an ordinary error")
	case "wrapped":
		return nil, fmt.Errorf("while reading: %w", wharf.Operation("source.gone", "it is gone").RetryAfter(time.Second))
	case "usage":
		return nil, wharf.Usage("config.task", "no such task").AtField("/task")
	case "array":
		return wharf.Changed(), ctx.Unit(wharf.NewUnit("thing").Key([]int{1}))
	case "text":
		return wharf.Changed(), ctx.Unit(thing("a").File(wharf.FileAt("a\xff").Inline(nil)))
	case "timeout":
		limited, cancel := context.WithTimeout(ctx, 0)
		defer cancel()
		return wharf.Changed(), ctx.WithContext(limited).Unit(thing("a"))
	default:
		return nil, wharf.NotOffered(task)
	}
}

// say tells whoever listens, now or later.
func say(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

func tellEverything(ctx *wharf.Context) (*wharf.Done, error) {
	ctx.LogWith(slog.LevelInfo, "hello", map[string]string{"n": "1"})
	ctx.Progress(wharf.Progress{Done: 1, Total: 2, Unit: "files", Phase: "reading"})
	file := wharf.FileAt("a/b").Size(3).SHA256(strings.Repeat("0", 64)).URL("https://x.example/a/b")
	err := errors.Join(
		ctx.Warn("content.odd", "looks odd", "a"),
		ctx.Item("left", wharf.OutcomeSkipped),
		ctx.Failed("bad", wharf.Operation("source.gone", "it is gone")),
		ctx.Unit(thing("a").Attributes(map[string]int{"n": 1}).File(file).Link("base", wharf.RefID(7))),
		ctx.Keep(wharf.KeepField("thing", "n", 7)),
		ctx.Keep(wharf.KeepAll("thing")),
		ctx.Remove(wharf.RefKey("thing", name{"old"})),
		ctx.Metadata(map[string]string{"suite": "x"}),
		ctx.Link("more", "https://x.example/"),
		ctx.Output("report", "text/plain", "report"),
		ctx.Checkpoint([]byte("here")),
	)
	return wharf.Changed().Announced(3).Summary(map[string]int{"lines": 3}).Outputs(task{"told"}).
		State(map[string]string{"etag": "x"}), err
}

func declareDownload(ctx *wharf.Context) error {
	done, err := ctx.Download(wharf.DownloadFrom("https://x.example/a"))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(ctx.InWorkDir(done.Staged))
	return errors.Join(err, ctx.Unit(thing(string(text))))
}

func check(is bool, what string) error {
	if is {
		return nil
	}
	return wharf.Fault("internal.test", what)
}

func askEverything(ctx *wharf.Context) (*wharf.Done, error) {
	for unit, err := range ctx.Units(wharf.NewQuery().OfType("thing").OrderBy("name").Field("n", 1)) {
		if err != nil {
			return nil, err
		}
		if err := ctx.Unit(unit); err != nil {
			return nil, err
		}
	}
	var settings task
	return wharf.Unchanged(), errors.Join(askState(ctx), askBytes(ctx), ctx.Settings(&settings),
		check(settings.Task == "ask", "settings"))
}

func askState(ctx *wharf.Context) error {
	secret, err := ctx.Secret("password")
	if err != nil {
		return err
	}
	revision, err := ctx.PutState(wharf.StateOfAttachment, "k", wharf.State{Value: secret}, true)
	if err != nil {
		return err
	}
	_, lost := ctx.PutState(wharf.StateOfAttachment, "k", wharf.State{}, false)
	var conflict *wharf.Error
	kept, err := ctx.GetState(wharf.StateOfAttachment, "k")
	none, other := ctx.GetState(wharf.StateOfInstance, "k")
	host, noHost := ctx.Host()
	return errors.Join(err, other, noHost,
		check(errors.As(lost, &conflict) && conflict.Code() == "conflict", "a conflict"),
		check(kept.Revision == revision && string(kept.Value) == "secret", "what was put"),
		check(none.Revision == 0, "no state"), check(host != nil, "the host itself"))
}

func askBytes(ctx *wharf.Context) error {
	var got *wharf.Downloaded
	seen := 0
	urls := []*wharf.Download{wharf.DownloadFrom("https://x.example/a"), wharf.DownloadFrom("https://x.example/none")}
	for done, err := range ctx.DownloadAll(urls...) {
		if err != nil {
			return err
		}
		seen++
		var missing *wharf.Error
		if done.Index == 0 {
			got = done
		} else if !errors.As(done.Err, &missing) || missing.Code() != "source.not_found" {
			return wharf.Fault("internal.test", fmt.Sprint(done.Err))
		}
	}
	text, err := os.ReadFile(ctx.InWorkDir(got.Staged))
	present, asked := ctx.HasArtifacts(got.Digest, "sha256:"+strings.Repeat("0", 64))
	artifact, opened := ctx.OpenArtifact(got.Digest, 2)
	if err := errors.Join(err, asked, opened, check(string(text) == "bytes" && seen == 2, "downloads")); err != nil {
		return err
	}
	defer artifact.Close()
	rest, err := io.ReadAll(artifact)
	digest, size, put := ctx.PutArtifact(strings.NewReader("put"))
	again, unchanged := ctx.Download(wharf.DownloadFrom("https://x.example/a").UnlessUnchanged(got.ETag, ""))
	return errors.Join(err, put, unchanged, check(string(rest) == "tes", "an artifact"),
		check(present[0] && !present[1], "what is present"), check(size == 3 && digest != "", "what was put"),
		check(again != nil && again.NotModified, "validators"))
}

func samplePlugin(importer wharf.Importer) *wharf.Plugin {
	return wharf.New(sampleManifest).Types(sampleTypes).Importer("importer", importer).
		Distributor("tree", tree{}).Builder("maker", maker{}).Action("doer", doer{}).Migrations(changes{}).
		Grace(100 * time.Millisecond)
}

func start(t *testing.T, importer wharf.Importer, host *wharftest.FakeHost) *wharftest.Harness {
	t.Helper()
	return wharftest.Start(t, samplePlugin(importer), host)
}

// run makes a sync with one task.
func run(t *testing.T, called string) *wharftest.Run {
	t.Helper()
	return start(t, newSample(), wharftest.NewFakeHost()).Call("importer").Settings(task{called}).Sync()
}

// within waits for something that must happen.
func within(t *testing.T, happened <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(deadline):
		t.Fatal("it did not happen: " + what)
	}
}
