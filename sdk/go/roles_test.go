package wharf_test

// The calls of every role, and those of every component.

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wharftest"
	"wharf.invalid/wharf/wire"
)

// files is an importer of the simple style, with everything else that an importer may offer.
type files struct{ wharf.ImporterBase }

func (files) List(ctx *wharf.Context, request *wharf.ListRequest) (*wharf.Done, error) {
	item := wharf.NewListedItem(thing("a").File(wharf.FileAt("a"))).Revision("1").ModifiedMs(5)
	return wharf.Changed(), errors.Join(ctx.Listed(item), ctx.Cursor("behind a"))
}

func (files) Fetch(ctx *wharf.Context, request *wharf.FetchRequest) (*wharf.Done, error) {
	whole := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	if request.Revision != "1" {
		return wharf.Changed(), errors.Join(ctx.Source("https://x.example/a"), ctx.Staged("a"))
	}
	return wharf.Changed(), ctx.Chunks(bytes.NewReader(whole[request.Offset:]))
}

func (files) Upload(ctx *wharf.Context, request *wharf.UploadRequest) (*wharf.Done, error) {
	var key name
	if err := request.Key(&key); err != nil {
		return nil, err
	}
	file := request.Files[0]
	size, known := file.Bytes()
	return wharf.Changed(), errors.Join(check(known && size == 3 && file.Hex("sha256") == "ab", "the file"),
		ctx.Unit(thing(key.Name).File(wharf.FileAt(file.Path()).Staged(file.StagedPath()))))
}

func (files) Resolve(ctx *wharf.Context, request *wharf.ResolveRequest) (*wharf.Done, error) {
	return wharf.Unchanged(), ctx.Resolved(wharf.RefID(request.Units[0].Number() + 1))
}

// Check wants another task, and knows better how to write it.
func (files) Check(_ context.Context, check *wharf.Check) (*wharf.Checked, error) {
	var values task
	if err := check.Values(&values); err != nil {
		return nil, err
	}
	switch values.Task {
	case "bad":
		return wharf.Good().Error("/task", "config.task", "no such task").Warning("/task", "config.odd", "odd"), nil
	case "usage":
		return nil, wharf.Usage("config.task", "no such task").AtField("/task")
	case "panic":
		panic("on purpose")
	}
	return wharf.Good().Normalised(task{strings.TrimSpace(values.Task)}), nil
}

func (files) Ready(context.Context, *wharf.Instance) (*wharf.Checked, error) {
	return nil, wharf.Usage("config.tool", "the tool is missing")
}

func (files) Choices(context.Context, string, *wharf.Check) ([]*wharf.Choice, error) {
	return []*wharf.Choice{wharf.NewChoice(1, "One")}, nil
}

func (files) Plan(_ context.Context, plan *wharf.Plan) ([]*wharf.Job, error) {
	var arguments task
	err := plan.Arguments(&arguments)
	return []*wharf.Job{wharf.NewJob(plan.Operation).Name(arguments.Task).Arguments(arguments).Weight(2).After(0)}, err
}

type tree struct{ wharf.DistributorBase }

func (tree) Publish(ctx *wharf.Context, request *wharf.PublishRequest) (*wharf.Done, error) {
	signed, err := ctx.Sign(wharf.SignDetachedArmored, bytes.Repeat([]byte("x"), 100_000))
	if err != nil {
		return nil, err
	}
	return wharf.Changed().Identifier("there"), errors.Join(
		ctx.File(wharf.FileOfUnit("a", 1, "f").MediaType("text/plain").ModifiedMs(5).Header("cache-control", "no-store")),
		ctx.File(wharf.FileOfDigest("b", "sha256:ab")), ctx.File(wharf.StagedFile("c", "staged").EntryPoint()),
		ctx.File(wharf.InlineFile("index.asc", signed.Bytes)),
		ctx.PassThrough("pool", "thing"), ctx.Reuse(3, "old"), ctx.Alias("latest", "a"), ctx.Redirect("there/", "a"),
		ctx.Variant("simple/", "a", "text/html", "text/plain"), ctx.EncodedVariant("simple/", "b", "text/html", "gzip"))
}

func (tree) Unpublish(_ *wharf.Context, request *wharf.UnpublishRequest) (*wharf.Done, error) {
	return wharf.Changed(), check(request.Publication.Identifier == "there", "the identifier")
}

func (tree) Reissue(ctx *wharf.Context, request *wharf.ReissueRequest) (*wharf.Done, error) {
	return wharf.Changed(), errors.Join(check(request.Publication.ID == 4 && request.TimestampMs == 9, "the request"),
		ctx.File(wharf.InlineFile("index", []byte("fresh")).EntryPoint()))
}

type maker struct{ wharf.BuilderBase }

func (maker) Build(ctx *wharf.Context, request *wharf.BuildRequest) (*wharf.Done, error) {
	var parameters task
	err := request.Parameters(&parameters)
	return wharf.Changed(), errors.Join(err, check(request.Stage == wharf.StageBase, "the stage"), checkBuild(request),
		ctx.Unit(thing(parameters.Task)))
}

// checkBuild looks at what a build is given besides, if anything.
func checkBuild(request *wharf.BuildRequest) error {
	if request.Parent == nil {
		return check(request.Provider == nil && len(request.Contributions) == 0, "a bare build")
	}
	given := request.Contributions[0]
	return errors.Join(check(request.TemplateType+string(request.Template) == "text/plainrecipe", "the template"),
		check(request.Target == wharf.Target{Name: "fedora", Version: "44"}, "the target"),
		check(request.Parent.KeyText() == `{"name":"base"}`, "the parent"),
		check(given.Name == "motd" && string(given.Content) == "hi" && given.Order == 2, "the contribution"),
		check(request.Provider.SettingsText == `{"task":"a"}`, "the provider"))
}

type doer struct{ wharf.ActionBase }

func (doer) Run(ctx *wharf.Context, request *wharf.RunRequest) (*wharf.Done, error) {
	var arguments task
	err := request.Arguments(&arguments)
	return wharf.Changed(), errors.Join(err, check(request.Test == wharf.TestOff, "the test"),
		ctx.Link(arguments.Task, request.Units[0].KeyText()), ctx.Job(wharf.NewJob("sync").Name("again")))
}

type changes struct{}

func (changes) Migrate(ctx *wharf.Context, migration *wharf.Migration) (*wharf.Done, error) {
	for unit, err := range ctx.Units(wharf.NewQuery()) {
		if err != nil {
			return nil, err
		}
		var key name
		if err := unit.ReadKey(&key); err != nil {
			return nil, err
		}
		if err := ctx.Unit(wharf.ExistingUnit("thing", unit.ID()).Key(name{key.Name + key.Name})); err != nil {
			return nil, err
		}
	}
	return wharf.Changed(), nil
}

func TestAnItemIsListedAndFetchedInPieces(t *testing.T) {
	t.Parallel()
	harness := start(t, files{}, wharftest.NewFakeHost())
	run := harness.Call("importer").List()
	equal(t, run.Listed[0].Revision, "1")
	fetched := harness.Call("importer").Fetch(run.Listed[0], 16)
	equal(t, len(fetched.Bytes()), 1_599_984)
	if len(fetched.Contents) < 3 {
		t.Error("the bytes came in one piece")
	}
	elsewhere := harness.Call("importer").Fetch(&wire.ListedItem{Unit: run.Listed[0].Unit}, 0)
	equal(t, elsewhere.Contents[0].GetSource().GetUrl()+" "+elsewhere.Contents[1].GetStaged(), "https://x.example/a a")
}

func TestUploadsAreMadeUnitsAndUnitsAreResolved(t *testing.T) {
	t.Parallel()
	harness := start(t, files{}, wharftest.NewFakeHost())
	file := wharf.FileAt("b.txt").Size(3).SHA256("ab").Staged("upload-1")
	run := harness.Call("importer").Upload("", `{"name":"b"}`, "", file)
	equal(t, run.Units[0].Files[0].GetStaged(), "upload-1")
	equal(t, harness.Call("importer").Resolve(wharf.RefID(4)).Resolved[0].Id, 5)
}

func TestAPublicationIsTold(t *testing.T) {
	t.Parallel()
	host := wharftest.NewFakeHost().Signer(func(form wharf.SignForm, bytes []byte) wharf.Signed {
		return wharf.Signed{Bytes: []byte(form), Fingerprint: "AB", PublicKey: "key"}
	})
	harness := start(t, files{}, host)
	run := harness.Call("tree").Signing("main").Publish()
	equal(t, run.Done().Identifier, "there")
	equal(t, len(run.Files), 4)
	equal(t, run.Files[0].GetUnit().GetPath()+run.Files[0].Headers["cache-control"], "fno-store")
	equal(t, string(run.Files[3].GetInline()), "detached-armored")
	equal(t, len(run.Aliases), 2)
	equal(t, run.Variants[1].Encoding, "gzip")
	equal(t, len(run.Others), 2)
	harness.Call("tree").Unpublish("there").Done()
	equal(t, harness.Call("tree").TimestampMs(9).Reissue(4).Files[0].EntryPoint, true)
}

func TestASignatureIsRefusedWithoutAKey(t *testing.T) {
	t.Parallel()
	failure := start(t, files{}, wharftest.NewFakeHost()).Call("tree").Publish().Failure()
	equal(t, failure.Class.String()+" "+failure.Code, "ERROR_CLASS_USAGE policy")
}

func TestBuildersAndActionsAreCalled(t *testing.T) {
	t.Parallel()
	harness := start(t, files{}, wharftest.NewFakeHost())
	equal(t, harness.Call("maker").Settings(task{"x"}).Build(wharf.StageBase).Keys()[0], `{"name":"x"}`)
	motd := wharf.Contribution{Kind: "file", Name: "motd", Content: []byte("hi"), Order: 2}
	harness.Call("maker").Settings(task{"x"}).Template("text/plain", []byte("recipe")).Parent(thing("base")).
		Target(wharf.Target{Name: "fedora", Version: "44"}).Contribution(motd).Provider(task{"a"}).Build(wharf.StageBase).Done()
	run := harness.Call("doer").Settings(task{"x"}).Run(thing("y"))
	equal(t, run.Others[0].GetLink().GetLabel()+run.Others[0].GetLink().GetUrl(), `x{"name":"y"}`)
}

func TestAMigrationChangesUnitsByTheirNumbers(t *testing.T) {
	t.Parallel()
	harness := start(t, files{}, wharftest.NewFakeHost().Unit(thing("a")).Unit(thing("b")))
	run := harness.Migrate(1)
	run.Done()
	equal(t, strings.Join(run.Keys(), " "), `{"name":"aa"} {"name":"bb"}`)
	equal(t, harness.Migrate(2).Status.Code(), codes.NotFound)
}

func TestSettingsAreCheckedByField(t *testing.T) {
	t.Parallel()
	harness := start(t, files{}, wharftest.NewFakeHost())
	for called, wanted := range map[string]string{
		"good ": `normalised:"{\"task\":\"good\"}"`, "bad": `warnings`, "usage": `field:"/task"`,
	} {
		answer, err := harness.Call("importer").Settings(task{called}).Check()
		if err != nil || !strings.Contains(strings.ReplaceAll(answer.String(), "  ", " "), wanted) {
			t.Errorf("%s: %v %v", called, answer, err)
		}
	}
	_, err := harness.Call("importer").Settings(task{"panic"}).Check()
	equal(t, status.Code(err), codes.Internal)
	reasons, err := harness.Call("importer").Ready()
	if err != nil || reasons[0].Code != "config.tool" {
		t.Errorf("%v %v", reasons, err)
	}
	choices, err := harness.Call("importer").Choices("task")
	if err != nil || choices[0].Value != "1" {
		t.Errorf("%v %v", choices, err)
	}
	if err := errors.Join(harness.Call("importer").Attached(), harness.Call("importer").Detached()); err != nil {
		t.Error(err)
	}
	jobs, err := harness.Call("importer").Settings(task{"x"}).Plan("sync")
	if err != nil || jobs[0].Operation+jobs[0].Name+jobs[0].Arguments != `syncx{"task":"x"}` {
		t.Errorf("%v %v", jobs, err)
	}
	good, err := harness.Call("tree").Check()
	if err != nil || len(good.Errors) != 0 {
		t.Errorf("%v %v", good, err)
	}
}

func TestAFakeHostReadsFolders(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a"), []byte("bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	host := wharftest.NewFakeHost().Folder("https://x.example/", folder)
	run := start(t, newSample(), host).Call("importer").Settings(task{"download"}).Sync()
	equal(t, run.Keys()[0], `{"name":"bytes"}`)
}
