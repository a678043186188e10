package main

// What the plugin raises is what a host reads.

import (
	_ "embed"
	"fmt"
	"testing"

	"wharf.invalid/wharf"
	"wharf.invalid/wharf/wharftest"
)

//go:embed types/note.json
var types string

func harness(t *testing.T) *wharftest.Harness {
	t.Helper()
	host := wharftest.NewFakeHost().Unit(notes[0].unit(wharf.FileAt(notes[0].path).Size(1)))
	return wharftest.Start(t, plugin().Types(types), host)
}

// calls makes each call with these settings.
func calls(t *testing.T, harness *wharftest.Harness, at settings) map[string]*wharftest.Run {
	t.Helper()
	listed := harness.Call("files").List().Listed
	return map[string]*wharftest.Run{
		"sync":    harness.Call("sync").Settings(at).Sync(),
		"list":    harness.Call("files").Settings(at).List(),
		"fetch":   harness.Call("files").Settings(at).Fetch(listed[1], 4),
		"publish": harness.Call("tree").Settings(at).Publish(),
	}
}

func TestItWorksUnlessItIsAskedNotTo(t *testing.T) {
	runs := calls(t, harness(t), settings{At: "none", Raise: "fault", HoldMs: 100})
	for call, run := range runs {
		if !run.Done().Changed || len(run.Progress) == 0 {
			t.Errorf("%s: %v", call, run)
		}
	}
	if len(runs["sync"].Units) != 2 || len(runs["list"].Listed) != 2 || len(runs["publish"].Files) != 1 {
		t.Errorf("%v", runs)
	}
	if text := string(runs["fetch"].Bytes()); text != "second note\n" {
		t.Errorf("fetched %q", text)
	}
}

func TestEachErrorIsRaisedAtEachCall(t *testing.T) {
	harness := harness(t)
	for raise, wanted := range map[string]string{
		"usage":      "ERROR_CLASS_USAGE usage.errors ERROR_SCOPE_RUN  false 0",
		"field":      "ERROR_CLASS_USAGE config.errors ERROR_SCOPE_RUN /at false 0",
		"item":       "ERROR_CLASS_OPERATION source.errors ERROR_SCOPE_ITEM  false 0",
		"attachment": "ERROR_CLASS_OPERATION source.errors ERROR_SCOPE_ATTACHMENT  false 0",
		"run":        "ERROR_CLASS_OPERATION source.errors ERROR_SCOPE_RUN  false 0",
		"retry":      "ERROR_CLASS_OPERATION source.errors ERROR_SCOPE_RUN  true 1000",
		"cancelled":  "ERROR_CLASS_CANCELLED cancelled ERROR_SCOPE_RUN  false 0",
		"fault":      "ERROR_CLASS_FAULT internal.panic ERROR_SCOPE_RUN  false 0",
	} {
		for _, call := range []string{"sync", "list", "fetch", "publish"} {
			e := calls(t, harness, settings{At: call, Raise: raise})[call].Failure()
			got := fmt.Sprint(e.Class, " ", e.Code, " ", e.Scope, " ", e.Field, " ", e.Retryable, " ", e.RetryAfterMs)
			if got != wanted {
				t.Errorf("%s at %s: %s, wanted %s", raise, call, got, wanted)
			}
		}
	}
	for call, run := range calls(t, harness, settings{At: "sync", Raise: "warning"}) {
		if run.Done(); len(run.Warnings) > 0 != (call == "sync") {
			t.Errorf("%s: %v", call, run.Warnings)
		}
	}
}

func TestCheckRaisesToo(t *testing.T) {
	harness := harness(t)
	answer, err := harness.Call("sync").Settings(settings{At: "check", Raise: "field"}).Check()
	if err != nil || answer.Errors[0].Field != "/at" {
		t.Errorf("%v %v", answer, err)
	}
	if _, err = harness.Call("tree").Settings(settings{At: "check", Raise: "fault"}).Check(); err == nil {
		t.Error("no fault")
	}
	answer, err = harness.Call("files").Settings(settings{At: "check", Raise: "warning"}).Check()
	if err != nil || len(answer.Errors) > 0 || len(answer.Warnings) != 1 {
		t.Errorf("%v %v", answer, err)
	}
}
