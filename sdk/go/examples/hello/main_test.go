package main

// The hello importer does what the README says of it.

import (
	_ "embed"
	"strings"
	"testing"

	"wharf.invalid/wharf/wharftest"
)

//go:embed types/greeting.json
var types string

func TestItMakesAUnitOfEveryLine(t *testing.T) {
	host := wharftest.NewFakeHost().File("https://words.example/list", "hello\ngood morning\n")
	harness := wharftest.Start(t, plugin().Types(types), host)
	run := harness.Call("importer").Settings(settings{URL: "https://words.example/list"}).Sync()
	if keys := strings.Join(run.Keys(), " "); keys != `{"text":"hello"} {"text":"good morning"}` {
		t.Errorf("other keys: %s", keys)
	}
	if !run.Done().Changed {
		t.Error("nothing changed")
	}
}

func TestAnUnreachableListIsTheHostsError(t *testing.T) {
	harness := wharftest.Start(t, plugin().Types(types), wharftest.NewFakeHost())
	run := harness.Call("importer").Settings(settings{URL: "https://words.example/none"}).Sync()
	if code := run.Failure().Code; code != "source.not_found" {
		t.Errorf("another error: %s", code)
	}
}
