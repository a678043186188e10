package wharf_test

// Hooks before and after steps of other components, and secrets of a check.

import (
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

const (
	hookedManifest = `{"name": "hooked", "version": "1", "components": [
		{ "id": "it", "role": "importer", "hooks": [{ "on": "before:build.target" }, { "on": "after:build.target" }] }
	]}`
	keyURL = "https://keys.example/key"
)

// signing does what the subject says.
type signing struct {
	wharf.HooksBase
	begun chan struct{}
	seen  *wharf.Step
}

func (s *signing) Before(ctx *wharf.HookContext, step *wharf.Step) (*wharf.Before, error) {
	var subject task
	if err := step.Subject(&subject); err != nil {
		return nil, err
	}
	switch subject.Task {
	case "skip":
		return wharf.Skip(), nil
	case "replace":
		return wharf.Replace(thing("x").File(wharf.FileAt("x").Staged("x"))), nil
	case "refuse":
		return wharf.Refuse(wharf.Operation("source.unreachable", "nobody there")), nil
	case "error":
		return nil, wharf.Usage("policy.target", "not this one").AtField("/target")
	case "bug":
		panic("on purpose")
	case "wait":
		say(s.begun)
		<-ctx.Done()
		_, err := ctx.Acquire(wharf.Claim{Kind: "lock", Name: "x"})
		return nil, err
	}
	done, err := ctx.Download(wharf.DownloadFrom(keyURL))
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(ctx.InWorkDir(done.Staged))
	return wharf.Proceed().Contribution(wharf.Contribution{Kind: "file", Name: step.Name, Content: key, Order: 1}), err
}

func (s *signing) After(_ *wharf.HookContext, step *wharf.Step) (*wharf.After, error) {
	s.seen = step
	switch {
	case step.Err != nil:
		return nil, wharf.Operation("storage", "the rest cannot be removed")
	case step.Outcome == wharf.OutcomeAdded:
		return wharf.AfterChanged(thing("y")), nil
	}
	return wharf.AfterUnchanged(), nil
}

func startHooks(t *testing.T, hooks wharf.Hooks) *wharftest.Harness {
	t.Helper()
	plugin := wharf.New(hookedManifest).Importer("it", files{}).Hooks(hooks)
	return wharftest.Start(t, plugin, wharftest.NewFakeHost().File(keyURL, "key"))
}

func TestAHookDecidesOnAStepAndGivesSomethingToIt(t *testing.T) {
	t.Parallel()
	harness := startHooks(t, &signing{})
	decide := func(called string) *wire.HookResponse {
		t.Helper()
		answer, err := harness.Hook("before:build.target", task{called})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	proceeds := decide("")
	equal(t, proceeds.Decision, wire.HookDecision_HOOK_DECISION_PROCEED)
	given := proceeds.Contributions[0]
	equal(t, given.Name+string(given.Content), "build.targetkey")
	equal(t, given.Order, 1)
	equal(t, decide("skip").Decision, wire.HookDecision_HOOK_DECISION_SKIP)
	replaced := decide("replace")
	equal(t, replaced.Decision, wire.HookDecision_HOOK_DECISION_REPLACE)
	equal(t, replaced.Unit.Files[0].GetStaged(), "x")
	for called, code := range map[string]string{"refuse": "source.unreachable", "error": "policy.target"} {
		refused := decide(called)
		equal(t, refused.Decision, wire.HookDecision_HOOK_DECISION_REFUSE)
		equal(t, refused.Error.Code, code)
	}
	_, err := harness.Hook("before:build.target", task{"bug"})
	equal(t, status.Code(err), codes.Internal)
}

func TestAHookIsToldHowTheStepEnded(t *testing.T) {
	t.Parallel()
	hooks := &signing{}
	harness := startHooks(t, hooks)
	after := func(outcome wharf.Outcome, failure *wire.Error) *wire.HookResponse {
		t.Helper()
		answer, err := harness.HookAfter("after:build.target", task{}, outcome, failure)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	equal(t, after(wharf.OutcomeAdded, nil).Unit.Key, `{"name":"y"}`)
	equal(t, after(wharf.OutcomeUnchanged, nil).Unit == nil, true)
	failed := after(wharf.OutcomeFailed, &wire.Error{Code: "config"})
	equal(t, failed.Error.Code, "storage")
	var why *wharf.Error
	equal(t, hooks.seen.Outcome == wharf.OutcomeFailed && errors.As(hooks.seen.Err, &why) && why.Code() == "config", true)
}

// marking tells what it is told, and notes on what was made that it saw it.
type marking struct{ wharf.HooksBase }

type mark struct {
	Mark string `json:"mark"`
}

func staged(ctx *wharf.HookContext, unit *wharf.Unit) (string, error) {
	bytes, err := os.ReadFile(ctx.InWorkDir(unit.Files()[0].StagedPath()))
	return string(bytes), err
}

func (marking) Before(ctx *wharf.HookContext, step *wharf.Step) (*wharf.Before, error) {
	var settings, parameters mark
	parent, err := staged(ctx, step.Parent)
	if err := errors.Join(err, step.Instance.Settings(&settings), step.Parameters(&parameters)); err != nil {
		return nil, err
	}
	told := strings.Join([]string{step.Instance.Component, settings.Mark, parameters.Mark, parent}, " ")
	return wharf.Proceed().Contribution(wharf.Contribution{Kind: "file", Name: "/told", Content: []byte(told)}), nil
}

func (marking) After(ctx *wharf.HookContext, step *wharf.Step) (*wharf.After, error) {
	made, err := staged(ctx, step.Unit)
	return wharf.AfterChanged(wharf.NewUnit("thing").Attributes(mark{made})), err
}

func TestAHookSeesItsSettingsItsParametersAndTheUnitsOfTheStep(t *testing.T) {
	t.Parallel()
	harness := startHooks(t, marking{})
	image := func(bytes string) *wharf.Unit {
		t.Helper()
		if err := os.WriteFile(filepath.Join(harness.WorkDir(), bytes+".img"), []byte(bytes), 0o600); err != nil {
			t.Fatal(err)
		}
		return wharf.NewUnit("thing").File(wharf.FileAt("disk.img").Staged(bytes + ".img"))
	}
	call := harness.Call("it").Settings(mark{"set"}).Parameters(mark{"asked"}).Parent(image("base"))
	before, err := call.Hook("before:build.target", task{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, string(before.Contributions[0].Content), "it set asked base")
	after, err := call.Made(image("made")).HookAfter("after:build.target", task{}, wharf.OutcomeAdded, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, after.Unit.Attributes, `{"mark":"made"}`)
	equal(t, after.Unit.Key == "" && len(after.Unit.Files) == 0, true)
}

func TestTheEndOfThePluginEndsAHook(t *testing.T) {
	t.Parallel()
	hooks := &signing{begun: make(chan struct{}, 1)}
	harness := startHooks(t, hooks)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := harness.Hook("before:build.target", task{"wait"})
		equal(t, status.Code(err), codes.Canceled)
	}()
	within(t, hooks.begun, "the hook begins")
	harness.Stop()
	within(t, ended, "the hook ends")
}

func TestHooksAgreeWithTheManifest(t *testing.T) {
	t.Parallel()
	_, err := wharf.New(hookedManifest).Importer("it", files{}).Register(nil, nil)
	equal(t, err.Error(), "plugin.json names hooks, but the program registers none: Plugin.Hooks")
	_, err = samplePlugin(files{}).Hooks(&signing{}).Register(nil, nil)
	equal(t, err.Error(), "plugin.json names no hooks, but the program registers some: Plugin.Hooks")
	_, err = start(t, files{}, wharftest.NewFakeHost()).Hook("before:sync", task{})
	equal(t, status.Code(err), codes.Unimplemented)
	_, err = startHooks(t, wharf.HooksBase{}).Hook("after:sync", task{})
	equal(t, status.Code(err), codes.Unimplemented)
}

// locked checks a password.
type locked struct{ wharf.ImporterBase }

func (locked) Check(ctx context.Context, check *wharf.Check) (*wharf.Checked, error) {
	var values task
	if err := check.Values(&values); err != nil {
		return nil, err
	}
	secret, err := check.Secret(ctx, values.Task)
	if err != nil {
		return nil, err
	}
	if string(secret) != "s3cret" {
		return wharf.Good().Error("/password", "unauthorized", "wrong password"), nil
	}
	return wharf.Good(), nil
}

func TestACheckReadsTheSecretsThatTheValuesName(t *testing.T) {
	t.Parallel()
	host := wharftest.NewFakeHost().Secret("school", "s3cret").Secret("old", "changed")
	harness := start(t, locked{}, host)
	for named, code := range map[string]string{"school": "", "old": "unauthorized", "none": "not_found"} {
		answer, err := harness.Call("importer").Settings(task{named}).Check()
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, problem := range answer.Errors {
			found = problem.Code
		}
		equal(t, found, code)
	}
}
