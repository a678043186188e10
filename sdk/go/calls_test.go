package wharf_test

// Calls as a host makes them, through the real codec, without a process.

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wharftest"
	"wharf.invalid/wharf/wire"
)

func equal[T comparable](t *testing.T, got, wanted T) {
	t.Helper()
	if got != wanted {
		t.Errorf("got %v, wanted %v", got, wanted)
	}
}

func TestDescribeIsTheManifest(t *testing.T) {
	t.Parallel()
	describe := start(t, newSample(), wharftest.NewFakeHost()).Describe()
	equal(t, describe.Name+" "+describe.Version, "sample 1.2.3")
	equal(t, describe.Components[0].String(), (&wire.Component{
		Id: "importer", Role: "importer", Profile: "content", Operations: []string{"sync"}, Types: []string{"thing"},
	}).String())
	equal(t, strings.Join(describe.Components[2].Types, " "), "thing")
	equal(t, strings.Join(describe.Types, " "), "thing")
}

func TestEverythingToldArrives(t *testing.T) {
	t.Parallel()
	run := run(t, "tell")
	done := run.Done()
	equal(t, done.Changed, true)
	equal(t, done.GetAnnounced(), 3)
	equal(t, done.Summary+done.Outputs+string(done.State), `{"lines":3}{"task":"told"}{"etag":"x"}`)
	equal(t, run.Logs[0].Text+run.Logs[0].Fields["n"], "hello1")
	equal(t, run.Progress[0].Phase, "reading")
	equal(t, run.Warnings[0].Code, "content.odd")
	equal(t, run.Items[0].Outcome, wire.Outcome_OUTCOME_SKIPPED)
	equal(t, run.Items[1].Outcome, wire.Outcome_OUTCOME_FAILED)
	equal(t, run.Items[1].Error.Scope, wire.ErrorScope_ERROR_SCOPE_ITEM)
	equal(t, run.Items[1].Error.Item, "bad")
	equal(t, run.Units[0].Attributes, `{"n":1}`)
	equal(t, run.Units[0].Files[0].Digests[0], "sha256:"+strings.Repeat("0", 64))
	equal(t, run.Units[0].Links[0].To.Id, 7)
	equal(t, run.Kept[0].Field.Value, "7")
	equal(t, run.Removed[0].Key, `{"name":"old"}`)
	equal(t, len(run.Others), 4)
}

func TestACheckpointComesBehindWhatItCovers(t *testing.T) {
	t.Parallel()
	running := start(t, newSample(), wharftest.NewFakeHost()).Call("importer").Settings(task{"tell"}).StartSync()
	units := 0
	for {
		event, err := running.Next()
		if err != nil || event == nil {
			t.Fatalf("no checkpoint: %v", err)
		}
		units += len(event.GetUnits().GetUnits())
		if event.GetCheckpoint() != nil {
			break
		}
	}
	equal(t, units, 1)
}

func TestEverythingAskedIsAnswered(t *testing.T) {
	t.Parallel()
	host := wharftest.NewFakeHost().File("https://x.example/a", "bytes").Secret("password", "secret").
		Settings(`{"task":"ask"}`)
	for _, called := range []string{"b", "a", "c"} {
		unit := thing(called)
		if called != "c" {
			unit.Attributes(map[string]int{"n": 1})
		}
		host.Unit(unit)
	}
	run := start(t, newSample(), host).Call("importer").Settings(task{"ask"}).Sync()
	run.Done()
	equal(t, strings.Join(run.Keys(), " "), `{"name":"a"} {"name":"b"}`)
	equal(t, strings.Join(host.Requests(), " "),
		"https://x.example/a https://x.example/none https://x.example/a (unchanged)")
}

func TestEntriesTravelInBatches(t *testing.T) {
	t.Parallel()
	equal(t, len(run(t, "many").Units), 2_500)
	equal(t, len(run(t, "large").Units), 30)
	equal(t, run(t, "huge").Failure().Code, "limit.message")
}

func TestErrorsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	for called, wanted := range map[string]string{
		"panic":   "ERROR_CLASS_FAULT internal.panic: the plugin panicked: on purpose",
		"nothing": "ERROR_CLASS_FAULT internal.result: the method gave neither a result nor an error",
		"error":   "ERROR_CLASS_FAULT internal.error: an ordinary error",
		"wrapped": "ERROR_CLASS_OPERATION source.gone: it is gone",
		"usage":   "ERROR_CLASS_USAGE config.task: no such task",
		"array":   "ERROR_CLASS_FAULT internal.json: a unit's key must be a JSON object, not [1]",
		"text":    `ERROR_CLASS_FAULT internal.text: a file's path is not UTF-8: "a\xff"`,
		"timeout": "ERROR_CLASS_FAULT internal.error: context deadline exceeded",
	} {
		failure := run(t, called).Failure()
		equal(t, failure.Class.String()+" "+failure.Code+": "+failure.Message, wanted)
	}
	retry := run(t, "wrapped").Failure()
	equal(t, retry.Retryable, true)
	equal(t, retry.RetryAfterMs, 1_000)
	equal(t, run(t, "usage").Failure().Field, "/task")
}

func TestAPanicCostsItsCallOnly(t *testing.T) {
	t.Parallel()
	importer := newSample()
	harness := start(t, importer, wharftest.NewFakeHost())
	endless := harness.Call("importer").Settings(task{"endless"}).StartSync()
	within(t, importer.begun, "the endless call begins")
	failed := harness.Call("importer").Settings(task{"panic"}).Sync()
	equal(t, failed.Failure().Code, "internal.panic")
	event, err := endless.Next()
	if err != nil || len(event.GetUnits().GetUnits()) == 0 {
		t.Errorf("the other call goes on: %v %v", event, err)
	}
}

func TestWhatIsNotThereIsSaidSo(t *testing.T) {
	t.Parallel()
	equal(t, run(t, "elsewhere").Status.Code(), codes.Unimplemented)
	harness := start(t, newSample(), wharftest.NewFakeHost())
	equal(t, harness.Call("importer").List().Status.Code(), codes.Unimplemented)
	equal(t, harness.Call("tree").Sync().Status.Code(), codes.Unimplemented)
	equal(t, harness.Call("nobody").Sync().Status.Code(), codes.NotFound)
	_, err := harness.Call("tree").ClientConfig("https://x.example/")
	equal(t, status.Code(err), codes.Unimplemented)
}

func TestSettingsThatDoNotFitAreAUsageError(t *testing.T) {
	t.Parallel()
	run := start(t, newSample(), wharftest.NewFakeHost()).Call("importer").Settings(map[string]int{"task": 1}).Sync()
	equal(t, run.Failure().Class, wire.ErrorClass_ERROR_CLASS_USAGE)
}

func TestAPluginThatDisagreesWithItsManifestIsToldSo(t *testing.T) {
	t.Parallel()
	const manifest = `{"name": "x", "version": "1", "components": [{"id": "a", "role": "importer"}]}`
	for wanted, plugin := range map[string]*wharf.Plugin{
		"registers nothing under that id":                      wharf.New(manifest),
		"registers distributor":                                wharf.New(manifest).Distributor("a", tree{}),
		"which plugin.json does not name":                      wharf.New(manifest).Importer("a", newSample()).Importer("b", newSample()),
		"plugin.json names no migrations, but the program":     wharf.New(manifest).Importer("a", newSample()).Migrations(changes{}),
		"plugin.json cannot be read":                           wharf.New(`{"name": 1}`),
		"a file of type definitions cannot be read":            wharf.New(manifest).Types("[]"),
		"plugin.json names migrations, but the program regist": wharf.New(`{"migrations": [{"number": 1}]}`),
	} {
		_, err := plugin.Register(nil, nil)
		if err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%v does not say: %s", err, wanted)
		}
	}
}
